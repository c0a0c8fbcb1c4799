//! Bundles of logs made here: honest ones hold, every other one does not, and the report says where.

mod foreign;
mod forged;
mod honest;
mod hostile;
mod scene;
mod tampered;
