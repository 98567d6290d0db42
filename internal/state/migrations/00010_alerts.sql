-- What needs a person, told once, and the messages about it, each to be delivered at least once.

-- +goose Up
create table alert (
    id           text   not null primary key,
    rule         text   not null, -- late, hold, quarantine, target, task, disk, expiry, audit, node
    subject      text   not null, -- dataset, target, task, folder, key
    level        text   not null, -- warning, critical
    zh           text   not null,
    en           text   not null,
    raised_at    bigint not null,
    seen_at      bigint not null, -- 0: nobody has seen it
    seen_by      text   not null,
    escalated_at bigint not null, -- 0: not
    ended_at     bigint not null  -- 0: it lasts
);
create unique index alert_open on alert (rule, subject) where ended_at = 0;
create index alert_raised on alert (raised_at, id);

create table alert_message (
    id       text   not null primary key, -- stable: a receiver that gets it twice can tell
    alert    text   not null references alert (id),
    channel  text   not null,
    event    text   not null, -- raised, escalated, ended
    state    text   not null, -- due, sent, given_up
    attempts bigint not null,
    next_at  bigint not null,
    at       bigint not null, -- of the event
    error    text   not null
);
create index alert_message_due on alert_message (next_at) where state = 'due';
create index alert_message_alert on alert_message (alert);

create index run_step on run (step, subject, started_at);

-- What is done once in a while by one of the nodes, and when it was.
create table upkeep (
    name text   not null primary key,
    at   bigint not null
);

-- +goose Down
drop table upkeep;
drop index run_step;
drop table alert_message;
drop table alert;
