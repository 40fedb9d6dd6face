//! A handler whose tools do what the tests need.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{Announcement, Change};
use mcp_everything_transport::{Faults, SessionHandle, StreamControl};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientResult,
        ContentBlock, CustomNotification, PingRequest, ProgressNotificationParam,
        ServerCapabilities, ServerConfig, ServerNotification, ServerRequest,
        SubscribeRequestParams, SubscriptionFilter, Tool,
    },
    service::{NotificationContext, PeerRequestOptions, RequestContext, SubscriptionContext},
};
use serde_json::json;
use tokio::sync::{Mutex, Semaphore, broadcast, mpsc};

/// How many events `count` has.
pub(crate) const COUNT: u16 = 1_000;

/// What the tests hold of the handlers.
#[derive(Clone)]
pub(crate) struct Probe {
    /// `gate` waits for a permit.
    pub(crate) gate: Arc<Semaphore>,
    /// What the handlers went through.
    pub(crate) seen: mpsc::UnboundedSender<&'static str>,
    /// What this handler hears of from its beginning.
    pub(crate) changes: Arc<Mutex<broadcast::Receiver<Announcement>>>,
}

/// How many bytes of text `large` returns.
pub(crate) const LARGE: usize = 4096;

fn text(text: &str) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

impl ServerHandler for Probe {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_resources()
            .enable_tools()
            .enable_tool_list_changed();
        ServerConfig::new(capabilities.build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "echo" => Ok(text("echo")),
            "large" => Ok(text(&"x".repeat(LARGE))),
            "faults" => {
                let parts = context.extensions.get::<http::request::Parts>().unwrap();
                let there = parts.extensions.get::<Faults>().is_some();
                Ok(text(if there { "there" } else { "not there" }))
            }
            "panic" => panic!("on purpose"),
            "gate" | "progress and gate" => {
                if request.name == "progress and gate" {
                    let token = context.meta.get_progress_token().unwrap();
                    let params = ProgressNotificationParam::new(token, 1.0);
                    context.peer.notify_progress(params).await.unwrap();
                }
                let _ = self.seen.send("gate.waits");
                tokio::select! {
                    permit = self.gate.acquire() => permit.unwrap().forget(),
                    () = context.ct.cancelled() => {
                        let _ = self.seen.send("gate.cancelled");
                        return Err(ErrorData::internal_error("cancelled", None));
                    }
                }
                let _ = self.seen.send("gate.passed");
                Ok(text("passed"))
            }
            "deaf" => {
                let dropped = Dropped(self.seen.clone());
                let _ = self.seen.send("deaf.waits");
                std::future::pending::<()>().await;
                drop(dropped);
                unreachable!("it is dropped while it waits")
            }
            "progress" => {
                let token = context.meta.get_progress_token().unwrap();
                for step in 1..=3 {
                    let params = ProgressNotificationParam::new(token.clone(), f64::from(step));
                    context.peer.notify_progress(params).await.unwrap();
                }
                Ok(text("done"))
            }
            // As many events as there are permits, up to `COUNT`, and then the answer.
            "count" => {
                let token = context.meta.get_progress_token().unwrap();
                for step in 1..=COUNT {
                    self.gate.acquire().await.unwrap().forget();
                    let params = ProgressNotificationParam::new(token.clone(), f64::from(step));
                    context.peer.notify_progress(params).await.unwrap();
                }
                Ok(text("counted"))
            }
            "gate and ask" => {
                self.gate.acquire().await.unwrap().forget();
                ask(&context).await
            }
            "ask" => ask(&context).await,
            // In a task of its own, which goes by the peer alone.
            "ask elsewhere" => {
                let ping = ServerRequest::PingRequest(PingRequest::default());
                let asked = tokio::spawn(async move { context.peer.send_request(ping).await });
                Ok(text(if asked.await.unwrap().is_err() { "refused" } else { "asked" }))
            }
            "cannot" => {
                let capabilities = ClientCapabilities::builder().enable_elicitation().build();
                Err(ErrorData::missing_required_client_capability(capabilities))
            }
            "leave" => {
                context.extensions.get::<StreamControl>().unwrap().close();
                self.gate.acquire().await.unwrap().forget();
                Ok(text("back"))
            }
            other => Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let schema = json!({ "properties": { "to": { "x-mcp-header": "To" } } });
        (name == "echo").then(|| Tool::new("echo", "", schema.as_object().unwrap().clone()))
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let session = context.extensions.get::<SessionHandle>().unwrap();
        session.subscribe(&request.uri).await.unwrap();
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        loop {
            let heard = self.changes.lock().await.recv().await.unwrap();
            if heard.change == Change::Tools
                && context.sink().notify_tool_list_changed().await.is_err()
            {
                return Ok(());
            }
        }
    }

    async fn on_roots_list_changed(&self, context: NotificationContext<RoleServer>) {
        let noted = CustomNotification::new("notifications/noted", None);
        let noted = ServerNotification::CustomNotification(noted);
        context.peer.send_notification(noted).await.unwrap();
        let _ = self.seen.send("roots.noted");
    }
}

async fn ask(context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let options = PeerRequestOptions::with_timeout(Duration::from_secs(30));
    let ping = ServerRequest::PingRequest(PingRequest::default());
    let asked = context.peer.send_request_with_option(ping, options).await;
    match asked.unwrap().await_response().await {
        Ok(ClientResult::EmptyResult(_)) => Ok(text("answered")),
        other => Ok(text(&format!("{other:?}"))),
    }
}

struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("deaf.dropped");
    }
}
