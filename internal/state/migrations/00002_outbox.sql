-- What must reach which target. Rebuilt from the published chains; attempts and receipts are not.

-- +goose Up
create table target (
    id     text   not null primary key,
    kind   text   not null, -- connector kind
    active bigint not null, -- 0: no longer configured; what it once got is remembered
    public bigint not null, -- 1: shows results to everybody; gets no trial results
    fields text   not null, -- names, comma separated; empty: all
    limits text   not null  -- the limits below in one line, to see that they changed
);

create table target_limit (
    target text not null references target (id),
    kind   text not null, -- policy, region, industry
    value  text not null, -- a policy id; the beginning of a division or industry code
    primary key (target, kind, value)
);

-- The newest published statement about each entity under each policy.
create table change (
    policy   text   not null,
    uscc     text   not null,
    version  bigint not null,
    n        bigint not null, -- entry of published/<policy> that it was taken in with
    kind     text   not null, -- grade, correction, retraction
    division text   not null,
    industry text   not null,
    trial    bigint not null,
    body     text   not null, -- the whole row as JSON; a target may get less of it
    primary key (policy, uscc)
);
create index change_n on change (policy, n);

create table delivery (
    id       text   not null primary key,
    target   text   not null references target (id),
    policy   text   not null,
    size     bigint not null, -- rows it was made with
    made_at  bigint not null,
    state    text   not null, -- due, awaiting, done, open, void
    tries    bigint not null, -- attempts ever
    attempts bigint not null, -- attempts since it was made or opened again
    next_at  bigint not null, -- not to be tried before
    code     text   not null, -- of the last failure
    message  text   not null
);
create index delivery_target on delivery (target, state, next_at);

create table outbox (
    target      text   not null references target (id),
    policy      text   not null,
    uscc        text   not null,
    version     bigint not null,
    kind        text   not null, -- as this target is told: a retraction where it may no longer see the grade
    n           bigint not null,
    state       text   not null, -- due, sent, acknowledged, rejected, superseded
    delivery    text   not null, -- empty: not yet in one
    sent_at     bigint not null, -- 0: certainly never handed over; else perhaps received, answered or not
    taken_at    bigint not null, -- when the target first answered anything about it
    answered_at bigint not null,
    code        text   not null, -- the row receipt as received
    message     text   not null,
    primary key (target, policy, uscc, version)
);
create index outbox_due on outbox (target, n, policy, uscc) where state = 'due' and delivery = '';
create index outbox_open on outbox (policy, uscc) where state in ('due', 'sent');
create index outbox_delivery on outbox (delivery, state);

create table attempt (
    delivery text   not null,
    no       bigint not null,
    at       bigint not null,
    outcome  text   not null, -- answered, or the fault code
    message  text   not null,
    primary key (delivery, no)
);

create table receipt (
    delivery text   not null,
    digest   text   not null, -- of the receipt's content: the same answer twice is one receipt
    target   text   not null,
    at       bigint not null,
    code     text   not null,
    message  text   not null,
    accepted bigint not null,
    rejected bigint not null,
    pending  bigint not null,
    named    text   not null, -- JSON of the row receipts as received
    primary key (delivery, digest)
);

-- What each target ever got of an entity, and what of it was acknowledged.
create view holding as
select
    target,
    policy,
    uscc,
    max(case when sent_at > 0 then version else 0 end) as sent_version,
    max(case when state = 'acknowledged' then version else 0 end) as acknowledged_version
from outbox
group by target, policy, uscc;

-- +goose Down
drop view holding;
drop table receipt;
drop table attempt;
drop table outbox;
drop table delivery;
drop table change;
drop table target_limit;
drop table target;
