-- A small retail bank. What is worth protecting sits where it sits in real ones: in columns made for it (customers.ssn,
-- cards.pan, accounts.iban), in columns that only hold it sometimes (payments.memo, support_notes.body), inside jsonb,
-- and behind views and functions that rename it.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET ROLE app;

CREATE TABLE customers (
    id            integer PRIMARY KEY,
    name          text NOT NULL,
    email         text NOT NULL UNIQUE,
    ssn           text UNIQUE CHECK (ssn ~ '^\d{3}-\d{2}-\d{4}$'),  -- null for customers without a US tax number
    phone         text NOT NULL,
    date_of_birth date NOT NULL,
    street        text NOT NULL,
    city          text NOT NULL,
    country       char(2) NOT NULL,
    profile       jsonb NOT NULL DEFAULT '{}',                       -- may repeat the e-mail and the SSN
    created_at    timestamptz NOT NULL
);

CREATE TABLE accounts (
    id             integer PRIMARY KEY,
    customer_id    integer NOT NULL REFERENCES customers,
    kind           text NOT NULL CHECK (kind IN ('checking', 'savings', 'business')),
    currency       char(3) NOT NULL,
    iban           text UNIQUE,
    routing_number text CHECK (routing_number ~ '^\d{9}$'),
    account_number text,
    balance        numeric(14, 2) NOT NULL,
    status         text NOT NULL CHECK (status IN ('open', 'frozen', 'closed')),
    opened_on      date NOT NULL,
    CHECK ((iban IS NULL) = (routing_number IS NOT NULL AND account_number IS NOT NULL))
);
CREATE INDEX ON accounts (customer_id);

CREATE TABLE cards (
    id          integer PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES accounts,
    pan         text NOT NULL UNIQUE CHECK (pan ~ '^\d{14,16}$'),
    brand       text NOT NULL,
    holder      text NOT NULL,
    expiry      date NOT NULL,                                       -- the last day on which it is valid
    status      text NOT NULL CHECK (status IN ('active', 'blocked', 'expired')),
    daily_limit numeric(10, 2) NOT NULL
);
CREATE INDEX ON cards (account_id);

CREATE TABLE payments (
    id           bigint PRIMARY KEY,
    account_id   integer NOT NULL REFERENCES accounts,
    card_id      integer REFERENCES cards,
    counterparty text NOT NULL,
    amount       numeric(12, 2) NOT NULL CHECK (amount <> 0),        -- negative: money that leaves
    currency     char(3) NOT NULL,
    status       text NOT NULL CHECK (status IN ('settled', 'pending', 'failed', 'reversed')),
    memo         text,                                               -- free text: people put card numbers here
    details      jsonb NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX ON payments (account_id, created_at);

CREATE TABLE support_notes (
    id          integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    author      text NOT NULL,
    body        text NOT NULL,                                       -- free text with protected values inside
    tags        text[] NOT NULL,
    written_at  timestamptz NOT NULL
);

CREATE SEQUENCE payment_ids OWNED BY payments.id;

-- Protected columns under other names.
CREATE VIEW customer_directory AS
    SELECT c.id, c.name, c.email AS contact, c.ssn AS tax_id, c.city, c.country, count(a.id) AS accounts,
           coalesce(sum(a.balance) FILTER (WHERE a.currency = 'USD'), 0) AS usd_balance
    FROM customers c LEFT JOIN accounts a ON a.customer_id = c.id
    GROUP BY c.id;

CREATE VIEW card_activity AS
    SELECT p.id AS payment_id, k.pan AS card, k.holder, p.counterparty, p.amount, p.currency, p.status, p.created_at
    FROM payments p JOIN cards k ON k.id = p.card_id;

-- Reads only, and says so: safe in a SELECT.
CREATE FUNCTION customer_by_ssn(wanted text) RETURNS SETOF customers
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT c.* FROM customers c WHERE c.ssn = wanted;
    END;

-- Writes, although it is called by a SELECT.
CREATE FUNCTION transfer(from_account integer, to_account integer, amount numeric) RETURNS bigint
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    payment bigint := nextval('payment_ids');
BEGIN
    IF amount <= 0 THEN
        RAISE EXCEPTION 'the amount of a transfer is above zero, not %', amount USING ERRCODE = '22003';
    END IF;
    UPDATE accounts SET balance = balance - amount WHERE id = from_account AND status = 'open';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % is not open', from_account USING ERRCODE = 'P0002';
    END IF;
    UPDATE accounts SET balance = balance + amount WHERE id = to_account AND status = 'open';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % is not open', to_account USING ERRCODE = 'P0002';
    END IF;
    INSERT INTO payments VALUES
        (payment, from_account, NULL, 'account ' || to_account, -amount, 'USD', 'settled', NULL, '{}', now());
    RETURN payment;
END $$;

CREATE PROCEDURE expire_cards(today date)
    LANGUAGE sql
    BEGIN ATOMIC
        UPDATE cards SET status = 'expired' WHERE expiry < today AND status <> 'expired';
    END;
