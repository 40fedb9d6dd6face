//! Asking the user on a page of the server: elicitation in URL mode.

use std::time::Duration;

use rmcp::{
    ErrorData,
    model::{ElicitationAction, ErrorCode},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::timeout;

use super::{
    Call, InTask, Round, Way,
    ask::read,
    question::{Question as _, UrlElicitation},
};
use crate::{
    error::{CallError, StateError},
    pages::{FoundPage, Page, PageEnd, PageError, Pages},
};

/// `URLElicitationRequiredError` (2025-11-25, Elicitation, Error Handling). No other revision has it.
const URL_ELICITATION_REQUIRED: ErrorCode = ErrorCode(-32042);

/// How long a request of 2026-07-28 waits for the user to finish, before its client is asked again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of asking the user on a page.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum UrlAnswer {
    /// The user answered on the page. What they typed is not told here.
    Completed,
    /// The user opened the page, and refused to answer there.
    DeclinedOnPage,
    /// The user did not want to open the page.
    Declined,
    /// The user made no choice.
    Cancelled,
    /// The user agreed to open the page, and did not answer in time.
    TooLate,
}

/// What the rounds of a request note of a question.
#[derive(Deserialize, Serialize)]
enum Noted {
    /// Its page.
    On(String),
    /// What came of it, which stays when the page is gone.
    Over(UrlAnswer),
}

impl Noted {
    fn read(note: &str) -> Option<Self> {
        serde_json::from_str(note).ok()
    }

    fn write(&self) -> String {
        json!(self).to_string()
    }
}

impl Call<'_> {
    /// Asks the user on a page of this server, which the client has them open. See [`Call`] on
    /// `key`, and [`Self::ask_sampling`] for the rest.
    ///
    /// What the user types there goes from their browser to this server, and neither the client nor
    /// its model sees it: this is the way to ask for a secret. It waits until the user has answered,
    /// for ten minutes at most. Only the user in whose name the call is made can answer.
    pub async fn ask_url(&self, key: &str, message: &str) -> Result<UrlAnswer, CallError> {
        let mut question = UrlElicitation::about(message);
        self.able(&question)?;
        let pages = self.pages()?;
        match &self.way {
            Way::Request => {
                question.page = self.make_page(pages, message, None).await?;
                self.ask_url_now(pages, &question).await
            }
            Way::Round(round) => self.ask_url_in_round(pages, round, key, question).await,
            Way::Task(task) => self.ask_url_in_task(pages, task, key, question).await,
        }
    }

    /// Goes on only if the user has answered on a page for this `purpose`, which is then used up.
    ///
    /// If not, the call ends with `-32042` and names the page; the client may repeat the request
    /// when that is completed. Only 2025-11-25 has that error: where a result may ask for input,
    /// this is [`Self::ask_url`].
    pub async fn require_url(&self, purpose: &str, message: &str) -> Result<UrlAnswer, CallError> {
        if !matches!(self.way, Way::Request) {
            return self.ask_url(purpose, message).await;
        }
        let mut question = UrlElicitation::about(message);
        self.able(&question)?;
        let pages = self.pages()?;
        let (caller, extensions) = (self.origin().caller, &self.context.extensions);
        question.page = match pages.find(caller.as_ref(), extensions, purpose).await? {
            Some(FoundPage { page, completed: false }) => page,
            Some(FoundPage { page, completed: true }) if pages.use_up(&page.id).await? => {
                return Ok(UrlAnswer::Completed);
            }
            // Another call has used it up.
            Some(_) | None => self.make_page(pages, message, Some(purpose)).await?,
        };
        let elicitations = json!({ "elicitations": [question.params()] });
        let message = "This request requires more information.";
        Err(ErrorData::new(URL_ELICITATION_REQUIRED, message, Some(elicitations)).into())
    }

    fn pages(&self) -> Result<&dyn Pages, CallError> {
        self.shared.pages.as_deref().ok_or_else(|| {
            CallError::failed(
                "This server cannot ask its users on a page: it has none at which it could tell \
                 them from others.",
            )
        })
    }

    async fn make_page(
        &self,
        pages: &dyn Pages,
        message: &str,
        purpose: Option<&str>,
    ) -> Result<Page, CallError> {
        let (caller, extensions) = (self.origin().caller, &self.context.extensions);
        let made = pages.make(caller.as_ref(), extensions, message, purpose).await;
        made.map_err(|error| match error {
            PageError::NoUser => CallError::failed(
                "Nobody can be asked: the caller is no user who signs in at this server with a \
                 browser.",
            ),
            PageError::State(StateError::LimitReached) => CallError::failed(
                "Too many pages were made for this user; try again when some of them are over.",
            ),
            PageError::State(error @ (StateError::Gone | StateError::Unavailable)) => error.into(),
        })
    }

    async fn ask_url_now(
        &self,
        pages: &dyn Pages,
        question: &UrlElicitation,
    ) -> Result<UrlAnswer, CallError> {
        let asked = async {
            let reply = self.ask_now(question).await?;
            self.after(pages, &question.page, &reply.action).await
        };
        or_withdraw(pages, &question.page, asked.await).await
    }

    /// Looks for the answer in this round. An answer counts only once its client was told of the
    /// page, which the state knows; and while the user has not finished, the client is asked again.
    ///
    /// A request that ends before that leaves the page to the one that repeats it.
    async fn ask_url_in_round(
        &self,
        pages: &dyn Pages,
        round: &Round<'_>,
        key: &str,
        mut question: UrlElicitation,
    ) -> Result<UrlAnswer, CallError> {
        let over = |answer| {
            round.keep_note(key, &Noted::Over(answer).write());
            Ok(answer)
        };
        let noted = round.note(key).as_deref().and_then(Noted::read);
        let answer = noted.as_ref().and_then(|_| round.peek(key));
        question.page = match noted {
            Some(Noted::Over(answer)) => return over(answer),
            Some(Noted::On(id)) => pages.page(&id),
            None => self.make_page(pages, &question.message, None).await?,
        };
        round.keep_note(key, &Noted::On(question.page.id.clone()).write());
        let Some(answer) = answer else {
            return Err(round.ask(key, question.input_request()));
        };
        let reply = read(&question, answer).map_err(|reason| round.not_valid(key, &reason))?;
        let outcome = self.after(pages, &question.page, &reply.action);
        match timeout(PATIENCE, outcome).await {
            Ok(outcome) => over(outcome?),
            Err(_) => Err(round.ask(key, question.input_request())),
        }
    }

    async fn ask_url_in_task(
        &self,
        pages: &dyn Pages,
        task: &InTask,
        key: &str,
        mut question: UrlElicitation,
    ) -> Result<UrlAnswer, CallError> {
        question.page = match task.note(key).as_deref().and_then(Noted::read) {
            Some(Noted::Over(answer)) => return Ok(answer),
            Some(Noted::On(id)) => pages.page(&id),
            None => self.make_page(pages, &question.message, None).await?,
        };
        task.keep_note(key, &Noted::On(question.page.id.clone()).write());
        let asked = async {
            let reply = self.ask_in_task(task, key, &question).await?;
            self.after(pages, &question.page, &reply.action).await
        };
        or_withdraw(pages, &question.page, asked.await).await
    }

    /// What comes of a page after what the user decided in the client.
    async fn after(
        &self,
        pages: &dyn Pages,
        page: &Page,
        decision: &ElicitationAction,
    ) -> Result<UrlAnswer, CallError> {
        let refusal = match decision {
            ElicitationAction::Accept => {
                return tokio::select! {
                    biased;
                    () = self.cancelled() => Err(CallError::Cancelled),
                    end = pages.settled(&page.id) => Ok(match end? {
                        PageEnd::Completed => UrlAnswer::Completed,
                        PageEnd::Declined => UrlAnswer::DeclinedOnPage,
                        PageEnd::Gone => UrlAnswer::TooLate,
                    }),
                };
            }
            ElicitationAction::Decline => UrlAnswer::Declined,
            // The enum is open; nothing else is an agreement.
            ElicitationAction::Cancel | _ => UrlAnswer::Cancelled,
        };
        withdraw(pages, page).await;
        Ok(refusal)
    }
}

/// A call that is not repeated leaves nobody to wait for its page when it fails.
async fn or_withdraw(
    pages: &dyn Pages,
    page: &Page,
    outcome: Result<UrlAnswer, CallError>,
) -> Result<UrlAnswer, CallError> {
    if outcome.is_err() {
        withdraw(pages, page).await;
    }
    outcome
}

/// Nobody waits for an answer any more. If that cannot be kept, the page is over by itself in time.
async fn withdraw(pages: &dyn Pages, page: &Page) {
    if let Err(error) = pages.withdraw(&page.id).await {
        tracing::debug!(event = "store.unavailable", %error, "a page stays open until its time is over");
    }
}
