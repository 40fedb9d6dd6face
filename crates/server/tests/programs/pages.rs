//! The pages that a user is shown on the way to a token.

/// What the consent page and the sign-in page can be answered with.
pub(crate) const ALLOW: &str = "form[action$='/authorize/consent'] .primary";
pub(crate) const DENY: &str = "form[action$='/authorize/consent'] [value=deny]";
pub(crate) const SIGN_IN: &str = "#sign-in .primary";
pub(crate) const CANCEL: &str = "#sign-in [value=access_denied]";
