-- Alarms of feeds, as the stage chains tell them: one row a hold, kept when it has ended.

-- +goose Up
create table feed_hold (
    chain    text   not null,
    source   text   not null,
    run      text   not null, -- that raised it
    alarm    text   not null, -- empty, few, late, few_new
    since    text   not null, -- day
    rows     bigint not null,
    usual    bigint not null,
    ended_on text   not null, -- day; empty while it lasts
    ended_by text   not null, -- empty: by itself
    reason   text   not null,
    primary key (chain, source, run)
);

-- +goose Down
drop table feed_hold;
