-- Cases of entities, and proposals that a second person approves. The body of a case is JSON; beside it
-- stands what lists choose by.

-- +goose Up
create table case_file (
    no       text   primary key,
    day      text   not null,
    prefix   text   not null,
    seq      bigint not null,
    kind     text   not null,
    state    text   not null,
    decided  bigint not null,
    uscc     text   not null,
    dataset  text   not null,
    version  bigint not null,
    body     text   not null,
    unique (day, prefix, seq)
);
create index case_file_open on case_file (decided, no);
create index case_file_uscc on case_file (uscc);
create table case_event (
    no   text   not null references case_file (no),
    seq  bigint not null,
    at   bigint not null,
    by   text   not null,
    what text   not null,
    note text   not null,
    primary key (no, seq)
);

create table proposal (
    id       text   primary key,
    part     text   not null,
    subject  text   not null,
    state    text   not null,
    file     text   not null,
    text     text   not null,
    sha256   text   not null,
    base     text   not null,
    note     text   not null,
    in_force text   not null,
    by       text   not null,
    at       bigint not null,
    answered_by text   not null,
    answered_at bigint not null,
    reason      text   not null
);
create index proposal_subject on proposal (part, subject);
create index proposal_state on proposal (state, in_force);

-- +goose Down
drop table proposal;
drop table case_event;
drop table case_file;
