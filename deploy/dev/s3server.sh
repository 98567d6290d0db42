#!/usr/bin/env bash
# The S3 server that tests run against, as internal/decisions/0003 says: MinIO where it can be had,
# S3Proxy where it cannot. It says which.
#
#   s3server.sh install           makes the server ready in a cache folder; quick when it is there
#   s3server.sh run HOST:PORT DIR starts it in the foreground with its objects in DIR; the keys come
#                                 from S3_ACCESS_KEY and S3_SECRET_KEY
#
# XINSHU_MINIO is the path of a MinIO binary to use. Delete the cache folder to have the choice made anew.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XINSHU_DEV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xinshu}/s3server
minio_module=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
s3proxy="$cache/s3proxy-4.1.0"

if [ -n "${XINSHU_MINIO:-}" ] && ! [ -x "$XINSHU_MINIO" ]; then
  echo "XINSHU_MINIO is no program: $XINSHU_MINIO" >&2
  exit 1
fi

# minio gives the path of a MinIO binary, or nothing.
minio() {
  if [ -n "${XINSHU_MINIO:-}" ]; then
    echo "$XINSHU_MINIO"
  elif ! type -P minio; then
    [ ! -x "$cache/bin/minio" ] || echo "$cache/bin/minio"
  fi
}

# ready says whether a server is there.
ready() { [ -n "$(minio)" ] || [ -f "$s3proxy/complete" ]; }

chosen() {
  local minio
  minio=$(minio)
  if [ -n "$minio" ]; then
    echo "S3 server: MinIO ($minio)"
  else
    echo "S3 server: S3Proxy 4.1.0, folder backend (MinIO cannot be had here)"
  fi
}

install() {
  if ready; then return; fi
  mkdir -p "$cache"
  if command -v flock >/dev/null; then
    exec 9>"$cache/lock"
    flock 9 # packages are tested side by side: the first one installs
    if ready; then return; fi
  fi
  echo "S3 server: building MinIO (once, some minutes)" >&2
  if GOBIN="$cache/bin" go install "$minio_module" 2>"$cache/minio.log"; then return; fi
  echo "S3 server: MinIO cannot be built here: $(tail -n 1 "$cache/minio.log")" >&2
  java_tools
  echo "S3 server: fetching S3Proxy with Maven (once, half a minute)" >&2
  rm -rf "$s3proxy"
  mvn --quiet --batch-mode --file "$here/s3proxy/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$s3proxy/lib" >&2
  touch "$s3proxy/complete"
}

# java_tools makes sure of Maven and a JRE, which S3Proxy alone needs.
java_tools() {
  if command -v mvn >/dev/null && command -v java >/dev/null; then return; fi
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "S3 server: installing maven" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends maven default-jre-headless >/dev/null
  else
    echo "S3 server: install Maven and a JRE 17, or set XINSHU_MINIO to a MinIO binary" >&2
    exit 1
  fi
}

run() {
  local address=$1 dir=$2 minio
  : "${S3_ACCESS_KEY:?}" "${S3_SECRET_KEY:?}"
  minio=$(minio)
  mkdir -p "$dir/objects"
  chosen
  if [ -n "$minio" ]; then
    MINIO_ROOT_USER=$S3_ACCESS_KEY MINIO_ROOT_PASSWORD=$S3_SECRET_KEY \
      exec "$minio" server --quiet --address "$address" "$dir/objects"
  fi
  (umask 077 && cat >"$dir/s3proxy.conf" <<CONF
s3proxy.endpoint=http://$address
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity=$S3_ACCESS_KEY
s3proxy.credential=$S3_SECRET_KEY
jclouds.provider=filesystem-nio2
jclouds.filesystem.basedir=$dir/objects
jclouds.identity=local
jclouds.credential=local
CONF
  )
  exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlogback.configurationFile=$here/s3proxy/logback.xml" \
    -cp "$s3proxy/lib/*" org.gaul.s3proxy.Main --properties "$dir/s3proxy.conf"
}

# Each step stands on a line of its own: before && or || the shell would go on after an error in it.
case "$#:${1:-}" in
  1:install)
    (install)
    chosen
    ;;
  3:run)
    (install)
    run "$2" "$3"
    ;;
  *)
    sed -n '2,9p' "$0" >&2
    exit 2
    ;;
esac
