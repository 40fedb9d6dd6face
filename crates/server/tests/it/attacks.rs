//! What somebody tries who must not get anywhere. `docs/security.md` says which attack is shown
//! where; wrong requests by themselves are in `docs/oauth-errors.md`.

mod names;
mod pages;
mod refresh;
mod signed_tokens;
