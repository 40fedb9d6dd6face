//! The floor: axum reads a JSON-RPC request and answers it. No protocol, no session, no check. The
//! port is the argument.

use std::{env, error::Error, net::Ipv4Addr};

use axum::{
    Json, Router,
    routing::post,
    serve::{ListenerExt as _, serve},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn echo(Json(request): Json<Value>) -> Json<Value> {
    let message = request["params"]["arguments"]["message"].as_str().unwrap_or_default();
    let content = json!([{ "type": "text", "text": format!("Echo: {message}") }]);
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": { "content": content } }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::args().nth(1).ok_or("the port is the argument")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    serve(listener, Router::new().route("/mcp", post(echo))).await?;
    Ok(())
}
