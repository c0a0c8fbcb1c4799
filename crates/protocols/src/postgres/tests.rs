//! Sessions without I/O: transcripts, a server that behaves, and everything in every split.

mod explained;
mod fake;
mod gateway;
mod held;
mod learned;
mod login;
mod names;
mod noise;
mod order;
mod others;
mod queries;
mod refusals;
mod reports;
mod resting;
mod say;
