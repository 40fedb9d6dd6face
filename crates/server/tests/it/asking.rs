//! Everything that a server asks of its client.

mod asker;
mod matrix;
mod on_pages;
pub(crate) mod page;
