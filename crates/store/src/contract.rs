//! What every store must do, as functions that other stores' tests call.

pub mod oauth;
pub mod ports;
pub mod rates;
pub mod redis_cluster;
pub mod redis_sentinels;
pub mod redis_server;
pub mod sessions;
