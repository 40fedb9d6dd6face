//! What every store must do, as functions that other stores' tests call.

pub mod oauth;
pub mod sessions;
