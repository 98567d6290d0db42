-- What was posted to the hub's own door: each nonce of a sender once, for as long as its time would be taken.

-- +goose Up
create table nonce (
    source text   not null,
    nonce  text   not null,
    at     bigint not null,
    primary key (source, nonce)
);
create index nonce_at on nonce (at);

-- +goose Down
drop table nonce;
