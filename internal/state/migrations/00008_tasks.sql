-- When: schedules, the tasks that ticks and people queue, what of them is done, and who holds what.

-- +goose Up
create table schedule (
    id       text   not null primary key,
    body     text   not null, -- JSON: everything that no statement asks for
    paused   bigint not null,
    fresh    bigint not null, -- 1: waits for datasets, not for a time
    next_at  bigint not null, -- the tick that comes next; 0: none
    fired_at bigint not null, -- the newest tick
    version  bigint not null,
    saved_at bigint not null,
    saved_by text   not null
);

create table task (
    id          text   not null primary key, -- of a tick: schedule@tick, so that it is there once
    schedule    text   not null,
    tick        bigint not null,
    source      text   not null, -- that its work names
    body        text   not null, -- JSON of the work
    state       text   not null,
    why         text   not null,
    about       text   not null,
    error       text   not null,
    code        text   not null,
    node        text   not null,
    fence       bigint not null, -- of the newest holder
    lease_until bigint not null, -- 0: nobody holds it
    attempt     bigint not null,
    tries       bigint not null,
    attempts    bigint not null,
    after_at    bigint not null, -- not before
    queued_at   bigint not null,
    started_at  bigint not null,
    ended_at    bigint not null,
    step        text   not null,
    queued_by   text   not null,
    stopping    text   not null  -- who asked to stop it; empty: nobody
);
create index task_state on task (state, after_at);
create index task_schedule on task (schedule, state, queued_at);
create index task_queued on task (queued_at, id);
create index task_source on task (source, queued_at);

create table task_step (
    task    text   not null,
    step    text   not null,
    subject text   not null,
    no      bigint not null, -- in the order in which they were begun
    state   text   not null,
    note    text   not null,
    run     text   not null,
    error   text   not null,
    code    text   not null,
    at      bigint not null,
    primary key (task, step, subject)
);

create table task_event (
    task    text   not null,
    no      bigint not null,
    at      bigint not null,
    node    text   not null,
    step    text   not null,
    subject text   not null,
    status  text   not null,
    note    text   not null,
    run     text   not null,
    primary key (task, no)
);

-- What only one task at a time may work on: a source, a chain, a target.
create table lease (
    name       text   not null primary key,
    task       text   not null,
    fence      bigint not null,
    until      bigint not null
);
create index lease_task on lease (task);

-- The one source of fencing numbers. It follows the log, so that a database made anew goes on above.
create table fence (
    one bigint not null primary key,
    n   bigint not null
);
insert into fence (one, n) values (1, 0);

create table node (
    id         text   not null primary key, -- of this life of the process
    name       text   not null,
    version    text   not null,
    started_at bigint not null,
    seen_at    bigint not null,
    tasks      bigint not null,
    skew       bigint not null  -- by how many milliseconds its clock is ahead of the database's
);

alter table run add column task text not null default '';
create index run_task on run (task);
create index run_subject on run (subject, step, ended_at);

-- +goose Down
drop index run_subject;
drop index run_task;
alter table run drop column task;
drop table node;
drop table fence;
drop table lease;
drop table task_event;
drop table task_step;
drop table task;
drop table schedule;
