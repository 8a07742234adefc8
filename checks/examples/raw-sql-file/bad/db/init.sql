-- run by hand on every new server
CREATE TABLE audit (
    id bigint PRIMARY KEY,
    note_id bigint NOT NULL
);
