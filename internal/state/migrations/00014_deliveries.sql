-- What the page of deliveries asks: what waits and since which release, what was rejected and why,
-- what was answered on which day. Each index holds only the rows that its question is about.

-- +goose Up
create index outbox_waiting on outbox (target, policy, n) where state in ('due', 'sent');
create index outbox_rejected on outbox (target, code, answered_at) where state = 'rejected';
create index receipt_at on receipt (target, at);
create index delivery_made on delivery (target, made_at, id);

-- +goose Down
drop index delivery_made;
drop index receipt_at;
drop index outbox_rejected;
drop index outbox_waiting;
