//! What every handler is wrapped in, on both wires.
//!
//! rmcp never answers for a handler that panicked, and calls a known method with wrong parameters
//! unknown. Here a panic is -32603 and wrong parameters are -32602.
#![expect(deprecated, reason = "what later revisions took away is served to earlier ones")]

use std::{any::Any, borrow::Cow, panic::AssertUnwindSafe};

use futures::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CancelTaskParams, CancelledNotificationParam,
        CompleteRequestParams, CompleteResult, CustomNotification, CustomRequest, CustomResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams,
        GetSkillResult, GetTaskParams, GetTaskResult, InitializeRequestParams, InitializeResult,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult,
        ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
        ReadResourceDirectoryRequestParams, ReadResourceDirectoryResult, ReadResourceRequestParams,
        ReadResourceResponse, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
        SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};

use crate::message::{Wire, known_request_error};

/// A handler that always answers.
pub(crate) struct Guarded<H>(pub(crate) H);

async fn caught<T>(
    method: &'static str,
    handler: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|panic| {
        tracing::error!(
            event = "handler.panicked",
            method,
            panic = panic_text(&*panic),
            "a handler panicked"
        );
        Err(ErrorData::internal_error("internal error", None))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// Passes requests on, with panics caught. Boxed: rmcp moves the future of a request several times,
/// and it has room for that of every method.
macro_rules! requests {
    ($($name:ident($($params:ident: $type:ty)?) -> $result:ty;)+) => {
        $(fn $name(
            &self,
            $($params: $type,)?
            context: RequestContext<RoleServer>,
        ) -> impl Future<Output = Result<$result, ErrorData>> + Send {
            Box::pin(caught(stringify!($name), self.0.$name($($params,)? context)))
        })+
    };
}

/// Passes notifications on, with panics caught.
macro_rules! notifications {
    ($($name:ident($($params:ident: $type:ty)?);)+) => {
        $(async fn $name(&self, $($params: $type,)? context: NotificationContext<RoleServer>) {
            let handler = async { Ok(self.0.$name($($params,)? context).await) };
            // A notification has no answer: the panic is in the log, and that is all.
            drop(caught(stringify!($name), handler).await);
        })+
    };
}

#[expect(deprecated, reason = "resources/subscribe is served to the revisions that have it")]
impl<H: ServerHandler> ServerHandler for Guarded<H> {
    requests! {
        ping() -> ();
        initialize(params: InitializeRequestParams) -> InitializeResult;
        discover() -> DiscoverResult;
        complete(params: CompleteRequestParams) -> CompleteResult;
        set_level(params: SetLevelRequestParams) -> ();
        get_prompt(params: GetPromptRequestParams) -> GetPromptResponse;
        list_prompts(params: Option<PaginatedRequestParams>) -> ListPromptsResult;
        list_resources(params: Option<PaginatedRequestParams>) -> ListResourcesResult;
        list_resource_templates(params: Option<PaginatedRequestParams>)
            -> ListResourceTemplatesResult;
        read_resource(params: ReadResourceRequestParams) -> ReadResourceResponse;
        subscribe(params: SubscribeRequestParams) -> ();
        unsubscribe(params: UnsubscribeRequestParams) -> ();
        call_tool(params: CallToolRequestParams) -> CallToolResponse;
        list_tools(params: Option<PaginatedRequestParams>) -> ListToolsResult;
        get_task(params: GetTaskParams) -> GetTaskResult;
        update_task(params: UpdateTaskParams) -> ();
        cancel_task(params: CancelTaskParams) -> ();
        list_skills(params: Option<PaginatedRequestParams>) -> ListSkillsResult;
        get_skill(params: GetSkillRequestParams) -> GetSkillResult;
        read_resource_directory(params: ReadResourceDirectoryRequestParams)
            -> ReadResourceDirectoryResult;
    }

    notifications! {
        on_cancelled(params: CancelledNotificationParam);
        on_progress(params: ProgressNotificationParam);
        on_initialized();
        on_roots_list_changed();
        on_custom_notification(params: CustomNotification);
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let stateful = context.protocol_version().is_none_or(|version| version.has_initialize());
        let wire = if stateful { Wire::Stateful } else { Wire::Stateless };
        if let Some(error) = known_request_error(wire, &request) {
            return Err(error);
        }
        Box::pin(caught("custom", self.0.on_custom_request(request, context))).await
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        Box::pin(caught("listen", self.0.listen(context))).await
    }

    fn negotiate_initialize(
        &self,
        request: &InitializeRequestParams,
    ) -> Result<InitializeResult, ErrorData> {
        self.0.negotiate_initialize(request)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.0.supported_protocol_versions()
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        self.0.accepted_subscription_filter(requested)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.get_tool(name)
    }

    fn get_info(&self) -> ServerConfig {
        self.0.get_info()
    }
}
