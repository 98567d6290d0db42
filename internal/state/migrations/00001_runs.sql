-- Run state that follows the log. Times are milliseconds since 1970 UTC, 0 where there is none yet;
-- truth values are 0 and 1; so the same file means the same on SQLite and PostgreSQL.

-- +goose Up
create table chain_head (
    chain      text   not null primary key,
    n          bigint not null, -- the newest log entry taken in
    sha256     text   not null,
    cursor     text   not null, -- stage only: the source's place after entry n
    applied_at bigint not null
);

create table run (
    id         text   not null primary key,
    step       text   not null,
    subject    text   not null,
    started_at bigint not null,
    ended_at   bigint not null,
    status     text   not null,
    chain      text   not null,
    n          bigint not null,
    error      text   not null,
    declared    bigint, -- null: the source does not say
    read        bigint not null,
    accepted    bigint not null,
    duplicate   bigint not null,
    quarantined bigint not null,
    skipped     bigint not null
);
create index run_started on run (started_at);

create table commit_taken (
    chain      text   not null,
    n          bigint not null,
    run        text   not null,
    commit_id  text   not null,
    sha256     text   not null,
    written_at bigint not null,
    declared    bigint,
    read        bigint not null,
    accepted    bigint not null,
    duplicate   bigint not null,
    quarantined bigint not null,
    skipped     bigint not null,
    primary key (chain, n)
);
create index commit_taken_run on commit_taken (run);

-- +goose Down
drop table commit_taken;
drop table run;
drop table chain_head;
