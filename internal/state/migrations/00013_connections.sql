-- Sources and targets that were made in the console or over the API. Those of the config are not kept
-- here. Settings lie in body as JSON; those that are secrets lie sealed in secret, under connection/role/id.

-- +goose Up
create table connection (
    role       text   not null, -- source, target
    id         text   not null,
    kind       text   not null, -- of connector
    body       text   not null,
    version    bigint not null, -- grows with each change
    changed_by text   not null,
    changed_at bigint not null,
    primary key (role, id)
);

-- The source whose pull a run was; empty for other steps, and for runs that were not noted so yet.
alter table run add column source text not null default '';
create index run_source on run (source, started_at);

-- A workbook between its check and its taking in, in parts, sealed: what a clerk wrote into it may name
-- persons. It lies here and not in a file so that any node can take it in. Old ones are deleted.
create table upload (
    id     text   not null primary key,
    name   text   not null,
    sha256 text   not null,
    bytes  bigint not null,
    by_id  text   not null,
    at     bigint not null
);
create table upload_part (
    upload text   not null,
    no     bigint not null,
    body   text   not null,
    primary key (upload, no)
);

-- +goose Down
drop table upload_part;
drop table upload;
drop index run_source;
alter table run drop column source;
drop table connection;
