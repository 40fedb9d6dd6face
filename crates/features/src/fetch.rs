//! What the features need in order to fetch a URL that a client names.

use async_trait::async_trait;
use thiserror::Error;

/// Fetches what strangers name, from public addresses and nowhere else.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// What is at an `https:` URL, if it has no more than `most` bytes.
    async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, FetchError>;
}

/// Why nothing was fetched. It says nothing of the network that the server is in.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FetchError {
    /// This server fetches nothing.
    #[error("this server fetches nothing; give it a data: URL")]
    Off,
    /// It is no URL, or one of another kind.
    #[error("it is no https: URL without a user name")]
    NotAUrl,
    /// So much is fetched now that nothing more is begun.
    #[error("the server fetches too much at the moment; try again later")]
    Busy,
    /// The host is not a public one.
    #[error("its host is not one that this server goes to")]
    NotAllowed,
    /// Nobody answers there, or it is not who it should be.
    #[error("its host cannot be reached")]
    Unreachable,
    /// Another status than 200; redirects are not followed.
    #[error("its host answered with status {0}")]
    Status(u16),
    /// It is too long.
    #[error("there are more than {0} bytes")]
    TooLong(usize),
    /// It took too long.
    #[error("its host takes too long")]
    TooSlow,
    /// It broke off.
    #[error("the answer broke off")]
    Broken,
}

/// Fetches nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoFetch;

#[async_trait]
impl Fetch for NoFetch {
    async fn get(&self, _: &str, _: usize) -> Result<Vec<u8>, FetchError> {
        Err(FetchError::Off)
    }
}
