//! Changes of lists and resources, told to every session and listener of all instances that they
//! concern.

mod feed;
mod news;
mod teller;

pub use self::feed::ChangeFeed;
pub(crate) use self::teller::{Teller, run};
