-- What the change feed and repeated requests need. formerly keeps the places (division/industry, each
-- with a blank behind it) under which an entity was stated before its present one: a reader that is
-- limited to a place it left must be told that the grade it holds is no longer its business.

-- +goose Up
alter table change add column formerly text not null default '';
create index change_feed on change (policy, n, uscc);
drop index change_n;

create table idempotency (
    actor  text   not null,
    name   text   not null, -- the key that the caller chose
    digest text   not null, -- of the request: the same key is the same request
    status bigint not null, -- of the answer; 0: not answered yet
    header text   not null, -- JSON
    body   text   not null,
    held   bigint not null, -- until when an unanswered request is taken to be under way
    until  bigint not null, -- then it is forgotten
    primary key (actor, name)
);
create index idempotency_until on idempotency (until);

-- +goose Down
drop table idempotency;
create index change_n on change (policy, n);
drop index change_feed;
alter table change drop column formerly;
