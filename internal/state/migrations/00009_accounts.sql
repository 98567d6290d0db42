-- Who may use the hub and what they did: accounts, sessions, keys of programs, sealed secrets, audit trail.

-- +goose Up
create table account (
    name        text   not null primary key,
    title       text   not null, -- as people call them
    roles       text   not null, -- JSON list
    scope       text   not null, -- JSON of auth.Scope
    subject     text   not null, -- of an OIDC provider; empty: a local account
    disabled    bigint not null,
    must_change bigint not null, -- the password was set by somebody else
    from_at     bigint not null, -- the term; 0: none
    until_at    bigint not null,
    created_at  bigint not null,
    seen_at     bigint not null,
    version     bigint not null
);
create unique index account_subject on account (subject) where subject <> '';

-- The newest is in force, those before it may not be taken again.
create table account_password (
    account text   not null,
    n       bigint not null,
    hash    text   not null,
    set_at  bigint not null,
    primary key (account, n)
);

create table account_session (
    hash       text   not null primary key, -- of the token that only the browser has
    account    text   not null,
    way        text   not null,
    address    text   not null,
    agent      text   not null,
    created_at bigint not null,
    seen_at    bigint not null
);
create index account_session_account on account_session (account);

create table setup_token (
    hash     text   not null primary key,
    until_at bigint not null
);

create table sign_in_failure (
    subject  text   not null primary key, -- hash of a name, or an address
    failures bigint not null,
    at       bigint not null,
    until_at bigint not null -- nobody is let in before
);
create index sign_in_failure_at on sign_in_failure (at);

create table access_key (
    id           text   not null primary key,
    owner        text   not null, -- user:name or client:name
    title        text   not null,
    kind         text   not null, -- bearer or signed
    hash         text   not null, -- of a bearer's secret; a signing secret lies sealed
    roles        text   not null, -- JSON list; of a client
    rights       text   not null, -- JSON list; null: all that the roles give
    scope        text   not null, -- JSON of auth.Scope
    networks     text   not null, -- JSON list
    from_at      bigint not null,
    until_at     bigint not null,
    created_at   bigint not null,
    created_by   text   not null,
    used_at      bigint not null,
    used_address text   not null,
    revoked_at   bigint not null
);
create index access_key_owner on access_key (owner);

create table secret (
    place text   not null primary key,
    body  text   not null, -- sealed by internal/vault
    at    bigint not null
);

create table audit_entry (
    seq     bigint not null primary key,
    at      bigint not null,
    actor   text   not null,
    name    text   not null,
    roles   text   not null,
    way     text   not null,
    address text   not null,
    action  text   not null,
    kind    text   not null,
    subject text   not null,
    uscc    text   not null,
    purpose text   not null,
    outcome text   not null,
    detail  text   not null, -- JSON object of texts
    prev    text   not null,
    hash    text   not null
);
create index audit_entry_at on audit_entry (at);
create index audit_entry_actor on audit_entry (actor, seq);
create index audit_entry_uscc on audit_entry (uscc, seq);

-- One row: whoever appends takes it first, so that writers of all nodes stand in one line.
create table audit_head (
    id   bigint not null primary key,
    seq  bigint not null,
    hash text   not null
);
insert into audit_head (id, seq, hash) values (1, 0, '');

-- Where the trail begins after old entries went by the retention rule.
create table audit_root (
    id      bigint not null primary key,
    seq     bigint not null, -- the last entry that went
    hash    text   not null,
    entries bigint not null,
    at      bigint not null,
    code    text   not null  -- signed by the vault
);

-- +goose Down
drop table audit_root;
drop table audit_head;
drop table audit_entry;
drop table secret;
drop table access_key;
drop table sign_in_failure;
drop table setup_token;
drop table account_session;
drop table account_password;
drop table account;
