//! The status page: what it is told, and who is told what.

mod events;
mod shown;
mod who;
