//! What is counted, and who is told.

mod page;
mod text;
mod who;
