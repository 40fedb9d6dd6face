//! Whether Redis can be used, and if not, whether waiting helps.

use std::{error::Error, io, sync::Arc};

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};

use super::{Redis, script};

/// Why Redis cannot be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreachable {
    /// It does not answer, or not yet.
    #[error("{reason}")]
    Away {
        /// For the log; without the password.
        reason: String,
    },
    /// It answers, and will not have this login, does not let it do what is needed, or has a
    /// certificate that is not trusted.
    #[error("{reason}")]
    Refused {
        /// For the log; without the password.
        reason: String,
    },
}

impl Redis {
    /// Tries once, over connections that are closed afterwards, to do what is needed of it.
    ///
    /// Operations say only that there is no connection; this says why.
    ///
    /// # Errors
    ///
    /// [`Unreachable::Away`] may pass: ask again. [`Unreachable::Refused`] does not, until somebody
    /// changes a setting here or there.
    pub async fn reach(&self) -> Result<(), Unreachable> {
        self.try_out().await.map_err(|error| {
            let reason = said(&error);
            if is_refusal(&error) {
                Unreachable::Refused { reason }
            } else {
                Unreachable::Away { reason }
            }
        })
    }

    async fn try_out(&self) -> RedisResult<()> {
        self.source.ask_a_node().await?;
        let mut connection = self.source.connect().await?;
        // Of several commands at once the error does not say why.
        self.source.probe(&mut connection).await?;
        script::load(&mut connection).await
    }
}

fn is_refusal(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm)
    ) || error.code() == Some("NOAUTH")
        || matches!(tls(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// What went wrong with TLS, which comes wrapped twice.
fn tls(error: &RedisError) -> Option<&rustls::Error> {
    let shared = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    shared.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

/// In one line.
fn said(error: &RedisError) -> String {
    let text = error.to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}
