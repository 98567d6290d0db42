#!/usr/bin/env bash
# Installs Xinshu from an unpacked bundle, or upgrades what is installed. Nothing is fetched.
#
#   install.sh [--root DIR] [--no-service] [--no-command]
#   install.sh --remove [--root DIR] [--no-service]
#
# --root DIR    lays everything under DIR instead of /, for an image or a trial; implies --no-service
# --no-service  leaves users and systemd alone; the hub must not run meanwhile
# --no-command  lays no command xinshu into /usr/local/bin; without it a terminal is asked first
# --remove      takes service, command and program away; settings, data and the user xinshu stay
#
# A version lies in /opt/xinshu/VERSION, the one in use is /opt/xinshu/current. An upgrade stops the
# hub, keeps a copy of the run state in /var/lib/xinshu/upgrades, migrates, and starts it again; if
# the new hub does not become ready, the old version and the old run state are put back. The lake is
# never touched: its objects are immutable and every version reads them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root="" service=yes command=yes remove=""
while [ $# -gt 0 ]; do
  case "$1" in
    --root) root=$(realpath -m "${2:?--root wants a folder}"); service=""; shift 2 ;;
    --no-service) service=""; shift ;;
    --no-command) command=""; shift ;;
    --remove) remove=yes; shift ;;
    *) sed -n '2,16p' "$0" >&2; exit 2 ;;
  esac
done
say() { echo "install: $*"; }
die() { echo "install: $*" >&2; exit 1; }

opt="$root/opt/xinshu" etc="$root/etc/xinshu" data="$root/var/lib/xinshu"
version=$(cat "$here/VERSION")
config="$etc/xinshu.yaml"
link="$root/usr/local/bin/xinshu" to=../../../opt/xinshu/current/bin/as-hub # relative: an image keeps it

ours() { [ -L "$link" ] && [ "$(readlink "$link")" = "$to" ]; }
lay_command() {
  if [ -z "$command" ] || ours; then return; fi
  if [ -e "$link" ] || [ -L "$link" ]; then
    say "$link is not of this installation and stays as it is; the command is $opt/current/bin/as-hub"
    return
  fi
  local answer=yes
  if [ -t 0 ]; then read -r -p "install: lay the command xinshu into ${link%/xinshu}? [Y/n] " answer || answer=no; fi
  case "$answer" in
    [nN]*) ;;
    *) { mkdir -p "${link%/xinshu}" && ln -s "$to" "$link"; } || say "the command is $opt/current/bin/as-hub" ;;
  esac
}
if [ -n "$remove" ]; then
  if [ -n "$service" ]; then
    [ "$(id -u)" = 0 ] || die "run it as root, or with --root DIR for a trial"
    systemctl disable --now --quiet xinshu 2>/dev/null || true # it may be gone already
    rm -f /etc/systemd/system/xinshu.service
    systemctl daemon-reload
  fi
  if ours; then rm -f "$link"; fi
  rm -rf "$opt"
  say "removed; $etc and $data stay"
  exit 0
fi

# What is laid down is what was built.
(cd "$here" && sha256sum --quiet --check SHA256SUMS) || die "a file of the bundle is damaged or missing; copy the bundle again"
listed=$(wc -l <"$here/SHA256SUMS") there=$(cd "$here" && find . -type f ! -name SHA256SUMS | wc -l)
[ "$listed" = "$there" ] || die "the bundle holds $there files, SHA256SUMS names $listed; unpack it into an empty folder"
"$here/bin/xinshu" --version >/dev/null 2>&1 || {
  "$here/bin/xinshu" --version || true
  die "the program does not start on this host: it wants glibc 2.35 or newer and libstdc++ (ldd --version); use the container image on an older one"
}

old=""
[ ! -L "$opt/current" ] || old=$(basename "$(readlink "$opt/current")")
[ "$old" != "$version" ] || { lay_command; say "version $version is installed already"; exit 0; }

if [ -n "$service" ]; then
  [ "$(id -u)" = 0 ] || die "run it as root, or with --root DIR for a trial"
  id xinshu >/dev/null 2>&1 || useradd --system --home-dir "$data" --shell /usr/sbin/nologin xinshu
fi
mkdir -p "$opt" "$etc" "$data"
chmod 700 "$data"

# The version is whole before anything points to it.
rm -rf "$opt/.laying"
mkdir "$opt/.laying"
cp -r "$here/." "$opt/.laying/"
rm -rf "${opt:?}/$version"
mv "$opt/.laying" "$opt/$version"

if [ ! -e "$config" ]; then
  printf '# 信枢配置；全部配置项见 /opt/xinshu/current/deploy/xinshu.yaml\n# Settings of Xinshu; every key: /opt/xinshu/current/deploy/xinshu.yaml\ndata: %s\n' "$data" >"$config"
fi
if [ ! -e "$etc/secrets.env" ]; then
  (umask 077 && printf '# NAME=value; read by ${env:NAME} in xinshu.yaml\n' >"$etc/secrets.env")
fi

point() { # to a version, in one step
  ln -sfn "$1" "$opt/.current" && mv -T "$opt/.current" "$opt/current"
}
as_hub() { "$opt/$version/bin/as-hub" "$@"; } # this version, in use or not yet

kept="$data/upgrades/before-$version"
if [ -n "$old" ]; then
  say "upgrading $old to $version"
  [ -z "$service" ] || systemctl stop xinshu
  if [ -e "$kept" ] && [ ! -e "$kept/complete" ]; then rm -rf "$kept"; fi
  if [ ! -e "$kept" ]; then
    mkdir -p "$data/upgrades"
    [ -z "$service" ] || chown xinshu:xinshu "$data/upgrades"
    as_hub backup --state-only --to "$kept" || {
      [ -z "$service" ] || systemctl start xinshu
      die "the run state could not be copied; nothing was changed, $old stays in use"
    }
  fi
else
  say "installing $version"
  [ -z "$service" ] || chown -R xinshu:xinshu "$data"
fi

back() {
  [ -n "$old" ] || die "$1; see xinshu doctor -c $config"
  say "$1; going back to $old"
  [ -z "$service" ] || systemctl stop xinshu || true
  point "$old"
  [ -z "$service" ] || systemctl start xinshu
  die "version $version was not taken into use. The run state before the migration is in $kept; a version only adds tables, so the old one goes on with them; where it does not, move the run state away and call xinshu restore --from $kept"
}

point "$version"
as_hub migrate up || back "the run state could not be migrated"
if [ -n "$service" ]; then
  install -m 644 "$here/deploy/systemd/xinshu.service" /etc/systemd/system/xinshu.service
  systemctl daemon-reload
  systemctl enable --quiet xinshu
  systemctl restart xinshu || back "the service did not start"
fi
as_hub doctor || back "doctor found the installation not in order"
lay_command
say "version $version is in use"
[ -n "$old" ] || say "the first administrator: see the set-up address in journalctl -u xinshu, or xinshu user add"
