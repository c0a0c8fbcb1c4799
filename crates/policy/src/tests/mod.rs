//! Every rule of the decision, with an adversarial eye.

mod cache;
mod decisions;
mod example;
mod loading;
mod oracle;
mod support;
