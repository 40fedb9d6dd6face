//! The requests rmcp hands over, each answered by the module of its feature.

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        self, CallToolRequestMethod, CallToolRequestParams, CallToolResponse,
        CompleteRequestParams, CompleteResult, ConstString, DiscoverResult, GetPromptRequestMethod,
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, LoggingLevel,
        LoggingMessageNotificationParam, PaginatedRequestParams, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, ServerConfig, SetLevelRequestMethod,
        SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
        UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde_json::json;

use crate::{
    completions,
    error::{CallError, failed},
    everything::{Everything, Repeatable},
    listen, notifications, paging,
    stamp::{FRESH_MS, SCOPE},
    wire::Wire,
};

impl ServerHandler for Everything {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    /// rmcp checks `Mcp-Param-*` headers against the schema of the tool named here.
    fn get_tool(&self, name: &str) -> Option<model::Tool> {
        self.shared.tools.definition(name).cloned()
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        Wire::of(&context)?;
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(FRESH_MS)
            .with_cache_scope(SCOPE))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let wire = Wire::of(&context)?;
        paging::single(request.as_ref())?;
        let tools = self.shared.tools.definitions().cloned().collect();
        let result = ListToolsResult::with_all_items(tools);
        Ok(self.shared.stamp.put_cacheable(wire, result))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = self.call(
            &context,
            Repeatable {
                method: CallToolRequestMethod::VALUE,
                name: &request.name,
                arguments: request.arguments.as_ref(),
                responses: request.input_responses,
                state: request.request_state.as_deref(),
            },
        )?;
        let wire = call.wire();
        let response = match self.shared.tools.call(&request.name, request.arguments, &call).await {
            Ok(result) => result.into(),
            Err(CallError::Failed(text)) => failed(text).into(),
            Err(error @ CallError::Cancelled) => failed(error.to_string()).into(),
            Err(CallError::Protocol(error)) => return Err(error),
            Err(CallError::Waiting(_)) => call.into_input_required()?.into(),
        };
        Ok(self.shared.stamp.put(wire, response))
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let wire = Wire::of(&context)?;
        paging::single(request.as_ref())?;
        let result = ListPromptsResult::with_all_items(self.shared.prompts.definitions());
        Ok(self.shared.stamp.put_cacheable(wire, result))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.as_ref();
        let call = self.call(
            &context,
            Repeatable {
                method: GetPromptRequestMethod::VALUE,
                name: &request.name,
                arguments,
                responses: request.input_responses,
                state: request.request_state.as_deref(),
            },
        )?;
        let wire = call.wire();
        let response = match self.shared.prompts.get(&request.name, arguments, &call).await {
            Ok((description, messages)) => {
                let mut result = GetPromptResult::new(messages);
                result.description = description;
                result.into()
            }
            // A prompt has no result that says it failed.
            Err(error @ (CallError::Failed(_) | CallError::Cancelled)) => {
                return Err(ErrorData::internal_error(error.to_string(), None));
            }
            Err(CallError::Protocol(error)) => return Err(error),
            Err(CallError::Waiting(_)) => call.into_input_required()?.into(),
        };
        Ok(self.shared.stamp.put(wire, response))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let wire = Wire::of(&context)?;
        let (resources, next) = self.shared.resources.list(request.as_ref())?;
        let mut result = ListResourcesResult::with_all_items(resources);
        result.next_cursor = next;
        Ok(self.shared.stamp.put_cacheable(wire, result))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let wire = Wire::of(&context)?;
        paging::single(request.as_ref())?;
        let result = ListResourceTemplatesResult::with_all_items(self.shared.resources.templates());
        Ok(self.shared.stamp.put_cacheable(wire, result))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let wire = Wire::of(&context)?;
        let contents = self.shared.resources.read(&request.uri)?;
        let result = ReadResourceResult::new(vec![contents]);
        Ok(self.shared.stamp.put_cacheable(wire, result).into())
    }

    /// rmcp answers this and [`Self::unsubscribe`] with `-32601` on 2026-07-28.
    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.shared.resources.read(&request.uri)?;
        Ok(self.session()?.subscribe(&request.uri).await?)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.shared.resources.read(&request.uri)?;
        Ok(self.session()?.unsubscribe(&request.uri).await?)
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        // The acknowledgement goes out next, and from then on nothing may be missed.
        self.shared.opened.put(self.shared.changes.subscribe());
        Some(listen::accept(requested, |uri| self.shared.resources.exists(uri)))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let changes = self.shared.opened.take();
        let changes = changes.unwrap_or_else(|| self.shared.changes.subscribe());
        let going = async {
            self.shared.draining.cancelled().await;
            tokio::time::sleep((self.shared.lingering)()).await;
        };
        listen::run(&context, changes, going).await;
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let wire = Wire::of(&context)?;
        let result = completions::complete(&self.shared.prompts, &self.shared.resources, &request)?;
        Ok(self.shared.stamp.put(wire, result))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // 2026-07-28 has no such method, and rmcp would let it through.
        if Wire::of(&context)? == Wire::Stateless {
            return Err(ErrorData::method_not_found::<SetLevelRequestMethod>());
        }
        self.session()?.set_log_level(request.level).await?;
        // The confirmation comes whatever the level.
        let text = format!("Logging level set to: {}", notifications::name(request.level));
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Debug, json!(text));
        // A lost connection shows itself otherwise.
        let _ = context.peer.notify_logging_message(message.with_logger("test-server")).await;
        Ok(())
    }
}
