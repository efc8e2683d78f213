//! The conversation without its instructions, in turns of the two sides.
//!
//! Anthropic, Gemini and Bedrock know two sides only: results of tools come from the person's side. Bedrock refuses two
//! turns of one side in a row, and all three want the results of parallel calls in one turn, so neighbours are joined.

use serde_json::{Map, Value};

use super::{ChatRequest, Message, PayloadError, Role};

/// Messages of one side that follow each other.
pub(crate) struct Turn<'a> {
    pub(crate) is_model: bool,
    pub(crate) messages: Vec<&'a Message>,
}

impl Turn<'_> {
    /// The turn as it is sent, with the further members of its messages.
    pub(crate) fn written(&self, role: &str, name: &str, parts: Vec<Value>) -> Value {
        let mut turn = Map::from_iter([("role".to_owned(), role.into()), (name.to_owned(), parts.into())]);
        self.messages.iter().for_each(|message| turn.extend(message.extra.clone()));
        Value::Object(turn)
    }
}

/// The turns of a request: at least one.
pub(crate) fn of(request: &ChatRequest) -> Result<Vec<Turn<'_>>, PayloadError> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in request.messages.iter().filter(|message| !message.role.is_system()) {
        let is_model = message.role == Role::Assistant;
        match turns.last_mut() {
            Some(turn) if turn.is_model == is_model => turn.messages.push(message),
            _ => turns.push(Turn { is_model, messages: vec![message] }),
        }
    }
    if turns.is_empty() {
        return Err(PayloadError::unusable("messages", "at least one must be other than `system`"));
    }
    Ok(turns)
}

/// The name of the tool that answers the call `id`: the message's own, or the one in the call itself.
pub(crate) fn tool_name<'a>(request: &'a ChatRequest, message: &'a Message) -> Result<&'a str, PayloadError> {
    if let Some(name) = message.name.as_deref().filter(|name| !name.is_empty()) {
        return Ok(name);
    }
    let id = message.answered_call()?;
    let calls = request.messages.iter().flat_map(|message| &message.tool_calls);
    calls.rev().find(|call| call.id == id).map(|call| call.name.as_str()).ok_or_else(|| {
        PayloadError::unusable("tool_call_id", "no call in the conversation has this id, so the tool's name is unknown")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ToolCall;
    use super::*;

    #[test]
    fn neighbours_of_one_side_are_one_turn() {
        let request = ChatRequest::new(
            "m",
            vec![
                Message::user("a"),
                Message::system("s"),
                Message::user("b"),
                Message::assistant("c"),
                Message::tool("1", "d"),
                Message::tool("2", "e"),
                Message::user("f"),
            ],
        );
        let shape: Vec<(bool, usize)> =
            of(&request).unwrap().iter().map(|turn| (turn.is_model, turn.messages.len())).collect();
        assert_eq!(shape, [(false, 2), (true, 1), (false, 3)]);
    }

    #[test]
    fn the_name_of_a_tool_is_found_in_its_call() {
        let call = Message::assistant("").with_tool_calls(vec![ToolCall::new("1", "weather", &json!({}))]);
        let named = Message { name: Some("other".to_owned()), ..Message::tool("1", "") };
        let request = ChatRequest::new("m", vec![call, Message::tool("1", "sun"), named, Message::tool("2", "")]);
        assert_eq!(tool_name(&request, &request.messages[1]), Ok("weather"));
        assert_eq!(tool_name(&request, &request.messages[2]), Ok("other"));
        assert!(tool_name(&request, &request.messages[3]).is_err());
    }
}
