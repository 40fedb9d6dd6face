//! Sockets and connections.

mod connections;
mod listen;

pub(crate) use connections::Connections;
pub(crate) use listen::listen;
