//! What every handler is wrapped in, on both wires.
//!
//! rmcp never answers for a handler that panicked. Here a panic is -32603.
#![expect(deprecated, reason = "what later revisions took away is served to earlier ones")]

use std::{any::Any, borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use futures::{
    FutureExt as _,
    future::{self, Either},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams,
        CancelledNotificationParam, CompleteRequestParams, CompleteResult, CustomNotification,
        CustomRequest, CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
        GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult,
        InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ListSkillsResult, ListToolsResult, PaginatedRequestParams,
        ProgressNotificationParam, ProtocolVersion, ReadResourceDirectoryRequestParams,
        ReadResourceDirectoryResult, ReadResourceRequestParams, ReadResourceResponse, ServerConfig,
        SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
        UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

use crate::{
    mirrored,
    observe::{Observed, Observer, Outcome, of_custom, of_prompt, of_resource, of_tool, plain},
    trace,
};

/// A handler that always answers, and whose requests are counted.
pub(crate) struct Guarded<H> {
    handler: H,
    observer: Arc<dyn Observer>,
}

impl<H> Guarded<H> {
    pub(crate) fn new(handler: H, observer: Arc<dyn Observer>) -> Self {
        Self { handler, observer }
    }
}

/// What a handler answers to a request, counted.
async fn counted<T>(
    observed: Observed<'_>,
    method: &str,
    outcome: fn(&T) -> Outcome,
    handler: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    let result = caught(method, handler).await;
    observed.end(&result, outcome);
    result
}

async fn caught<T>(
    method: &str,
    handler: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    let answer = AssertUnwindSafe(handler).catch_unwind().await;
    let answer = answer.unwrap_or_else(|panic| Err(panicked(method, &*panic)));
    if let Err(error) = &answer {
        trace::refused(error);
    }
    answer
}

/// What a client is told in place of the answer of a handler that panicked.
pub(crate) fn panicked(method: &str, panic: &(dyn Any + Send)) -> ErrorData {
    tracing::error!(
        event = "handler.panicked",
        method,
        panic = panic_text(panic),
        "a handler panicked"
    );
    ErrorData::internal_error("internal error", None)
}

const CALL: &str = "tools/call";
const LISTEN: &str = "subscriptions/listen";

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// Passes requests on, with panics caught. Each has its method, and what says how it was answered.
/// Boxed before it is wrapped: a handler's future is large, and each wrapper moves what it is given.
macro_rules! requests {
    ($($name:ident($($params:ident: $type:ty)?) -> $result:ty = $method:literal, $outcome:ident;)+) => {
        $(fn $name(
            &self,
            $($params: $type,)?
            context: RequestContext<RoleServer>,
        ) -> impl Future<Output = Result<$result, ErrorData>> + Send {
            let observed = Observed::begin(&self.observer, $method, None);
            let handler = Box::pin(self.handler.$name($($params,)? context));
            counted(observed, $method, $outcome, handler)
        })+
    };
}

/// Passes notifications on, with panics caught.
macro_rules! notifications {
    ($($name:ident($($params:ident: $type:ty)?);)+) => {
        $(async fn $name(&self, $($params: $type,)? context: NotificationContext<RoleServer>) {
            let handler = async { Ok(self.handler.$name($($params,)? context).await) };
            // A notification has no answer: the panic is in the log, and that is all.
            drop(caught(stringify!($name), handler).await);
        })+
    };
}

#[expect(deprecated, reason = "resources/subscribe is served to the revisions that have it")]
impl<H: ServerHandler> ServerHandler for Guarded<H> {
    requests! {
        ping() -> () = "ping", plain;
        initialize(params: InitializeRequestParams) -> InitializeResult = "initialize", plain;
        discover() -> DiscoverResult = "server/discover", plain;
        complete(params: CompleteRequestParams) -> CompleteResult = "completion/complete", plain;
        set_level(params: SetLevelRequestParams) -> () = "logging/setLevel", plain;
        get_prompt(params: GetPromptRequestParams) -> GetPromptResponse = "prompts/get", of_prompt;
        list_prompts(params: Option<PaginatedRequestParams>) -> ListPromptsResult
            = "prompts/list", plain;
        list_resources(params: Option<PaginatedRequestParams>) -> ListResourcesResult
            = "resources/list", plain;
        list_resource_templates(params: Option<PaginatedRequestParams>)
            -> ListResourceTemplatesResult = "resources/templates/list", plain;
        read_resource(params: ReadResourceRequestParams) -> ReadResourceResponse
            = "resources/read", of_resource;
        subscribe(params: SubscribeRequestParams) -> () = "resources/subscribe", plain;
        unsubscribe(params: UnsubscribeRequestParams) -> () = "resources/unsubscribe", plain;
        list_tools(params: Option<PaginatedRequestParams>) -> ListToolsResult
            = "tools/list", plain;
        get_task(params: GetTaskParams) -> GetTaskResult = "tasks/get", plain;
        update_task(params: UpdateTaskParams) -> () = "tasks/update", plain;
        cancel_task(params: CancelTaskParams) -> () = "tasks/cancel", plain;
        list_skills(params: Option<PaginatedRequestParams>) -> ListSkillsResult
            = "skills/list", plain;
        get_skill(params: GetSkillRequestParams) -> GetSkillResult = "skills/get", plain;
        read_resource_directory(params: ReadResourceDirectoryRequestParams)
            -> ReadResourceDirectoryResult = "resources/directory/read", plain;
    }

    notifications! {
        on_cancelled(params: CancelledNotificationParam);
        on_progress(params: ProgressNotificationParam);
        on_initialized();
        on_roots_list_changed();
        on_custom_notification(params: CustomNotification);
    }

    fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> + Send {
        let observed = Observed::begin(&self.observer, CALL, Some(&params.name));
        let schema = |name: &str| Some(self.handler.get_tool(name)?.input_schema);
        // Before there is a future: one that does it would have room for both twice.
        let handler = match mirrored::check_arguments(&context, &params, schema) {
            Ok(()) => Either::Left(Box::pin(self.handler.call_tool(params, context))),
            Err(error) => Either::Right(future::ready(Err(error))),
        };
        async move {
            let response = counted(observed, CALL, of_tool, handler).await;
            if let Ok(CallToolResponse::Complete(CallToolResult { is_error: Some(true), .. })) =
                &response
            {
                trace::tool_failed();
            }
            response
        }
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method.clone();
        let tool = request.params.as_ref().and_then(|params| params.get("name")?.as_str());
        let tool = tool.filter(|_| method == CALL);
        let observed = Observed::begin(&self.observer, &method, tool);
        let handler = Box::pin(self.handler.on_custom_request(request, context));
        counted(observed, &method, of_custom, handler).await
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let observed = Observed::begin(&self.observer, LISTEN, None);
        counted(observed, LISTEN, plain, Box::pin(self.handler.listen(context))).await
    }

    fn negotiate_initialize(
        &self,
        request: &InitializeRequestParams,
    ) -> Result<InitializeResult, ErrorData> {
        self.handler.negotiate_initialize(request)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        self.handler.accepted_subscription_filter(requested)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.handler.get_tool(name)
    }

    fn get_info(&self) -> ServerConfig {
        self.handler.get_info()
    }
}
