-- The one role the gateway signs in with: it owns the bank's data and nothing else. It can therefore do anything to
-- the data, a DROP included: what stands between an agent and that is the gateway, not a lack of rights.
-- The password comes from the environment, so that no command line shows it.
\set QUIET on
\set ON_ERROR_STOP on
\getenv app_password BANK_APP_PASSWORD
\if :{?app_password}
\else
  \warn 'set BANK_APP_PASSWORD to the password that the role "app" is to have'
  \quit 3
\endif
SET log_statement = 'none';
SET password_encryption = 'scram-sha-256';
CREATE ROLE app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'app_password';
CREATE DATABASE bank OWNER app TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE CONNECT ON DATABASE bank FROM PUBLIC;
