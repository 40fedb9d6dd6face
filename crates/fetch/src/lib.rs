//! An HTTPS GET for URLs that strangers name.
//!
//! Whoever may name a URL that a server fetches can have it knock at doors that only the server can
//! reach: its own loopback, the private network around it, the metadata service of its cloud
//! (server-side request forgery). A [`Fetcher`] goes to public addresses only.
//!
//! - `https` only, without user name and password. Redirects are answers that are not wanted.
//! - A host that is an address is checked in the form that the URL standard gives it, so that
//!   `https://0x7f.1/` is `127.0.0.1`.
//! - A name is looked up once. If any of its addresses is not public, none is used; otherwise the
//!   connection is made to these addresses, so a name that means something else a moment later
//!   gains nothing.
//! - No proxy, which would do a look-up of its own, and no connection that another fetch left.
//! - An answer has a length and a time it must stay within, and is good with status 200 only.
//!
//! What the answer may be is for the caller to check.
//!
//! ```
//! use std::time::Duration;
//!
//! use mcp_everything_fetch::{FetchError, Fetcher, Guard, Limits};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let fetcher = Fetcher::new(Guard::public())?;
//! let limits = Limits { bytes: 5 * 1024, time: Duration::from_secs(5) };
//! let url = "https://169.254.169.254/latest/meta-data/".parse()?;
//! let refused = fetcher.get(&url, "application/json", limits).await;
//! assert!(matches!(refused, Err(FetchError::NotPublic { .. })));
//! # Ok(()) }
//! ```

mod address;
mod error;
mod fetcher;
mod guard;
mod resolve;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use address::special_use;
pub use error::{BuildError, FetchError};
pub use fetcher::{Fetched, Fetcher, Limits};
pub use guard::Guard;
