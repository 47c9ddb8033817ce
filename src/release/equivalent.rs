//! Two spellings of one value: what the API server stores may be written otherwise than what was sent. Pure.

use serde_json::Value;

use super::diff::identity;

/// Gives `value` the spelling of `stored` wherever both mean the same.
pub fn settle(stored: &Value, value: &mut Value) {
    within(stored, value, false);
}

/// Whether all that `said` says is so in `stored`, which may have more (defaults) and spell it otherwise.
pub fn is_contained(said: &Value, stored: &Value) -> bool {
    contained(said, stored, false)
}

fn contained(said: &Value, stored: &Value, is_quantity: bool) -> bool {
    match (said, stored) {
        (Value::Object(said), Value::Object(stored)) => said.iter().all(|(key, said)| {
            let is_quantity = is_quantity || QUANTITIES.contains(&key.as_str());
            match stored.get(key) {
                Some(stored) => contained(said, stored, is_quantity),
                None => {
                    said.is_object() && said.as_object().is_some_and(serde_json::Map::is_empty)
                        || means_the_same(None, said, false)
                }
            }
        }),
        (Value::Array(said), Value::Array(stored)) => {
            said.len() == stored.len()
                && said.iter().zip(stored).all(|(said, stored)| contained(said, stored, is_quantity))
        }
        (said, stored) => means_the_same(Some(stored), said, is_quantity),
    }
}

/// Where a text is a quantity. Elsewhere `1.0` is not `1`: in a variable, a label, a file.
const QUANTITIES: [&str; 4] = ["resources", "sizeLimit", "divisor", "averageValue"];
/// Where keys are the user's own.
const TEXTS: [&str; 5] = ["data", "stringData", "labels", "annotations", "matchLabels"];

fn within(stored: &Value, value: &mut Value, is_quantity: bool) {
    if means_the_same(Some(stored), value, is_quantity) {
        *value = stored.clone();
        return;
    }
    match (stored, value) {
        (Value::Object(stored), Value::Object(value)) => {
            let empty: Vec<String> = value
                .iter()
                // Of structs an empty one may say something: `emptyDir: {}`.
                .filter(|(key, value)| !value.is_object() || TEXTS.contains(&key.as_str()) || *key == "nodeSelector")
                .filter(|(key, value)| !stored.contains_key(*key) && means_the_same(None, value, false))
                .map(|(key, _)| key.clone())
                .collect();
            for key in empty {
                value.remove(&key);
            }
            for (key, value) in value.iter_mut().filter(|(key, _)| !TEXTS.contains(&key.as_str())) {
                if let Some(stored) = stored.get(key) {
                    within(stored, value, is_quantity || QUANTITIES.contains(&key.as_str()));
                }
            }
        }
        (Value::Array(stored), Value::Array(value)) => match identity(&[stored, value]) {
            Some(key) => {
                for value in value {
                    if let Some(stored) = stored.iter().find(|item| item.get(key) == value.get(key)) {
                        within(stored, value, is_quantity);
                    }
                }
            }
            None => stored.iter().zip(value).for_each(|(stored, value)| within(stored, value, is_quantity)),
        },
        _ => {}
    }
}

/// Whether a value is stored as `stored`: the server leaves out what is empty, and writes quantities in its own way.
fn means_the_same(stored: Option<&Value>, value: &Value, is_quantity: bool) -> bool {
    match (stored, value) {
        (None, Value::Null) => true,
        (None, Value::String(text)) => text.is_empty(),
        (None, Value::Array(items)) => items.is_empty(),
        (None, Value::Object(map)) => map.is_empty(),
        (Some(stored), value) if stored == value => true,
        (Some(Value::String(stored)), Value::String(text)) => is_quantity && is_same_quantity(stored, text),
        (Some(Value::String(stored)), Value::Number(number)) => {
            is_quantity && is_same_quantity(stored, &number.to_string())
        }
        _ => false,
    }
}

/// Whether two texts are the same quantity (k8s.io/apimachinery `resource.Quantity`) in two spellings.
fn is_same_quantity(one: &str, other: &str) -> bool {
    matches!((nano(one), nano(other)), (Some(one), Some(other)) if one == other)
}

/// A quantity in units of a billionth; `None` if it is none, or too large or too fine to be told.
pub fn nano(text: &str) -> Option<i128> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    // `1e3` has its exponent where others have a unit.
    let (number, unit) = text.split_at(end);
    let (tens, twos) = match unit {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (unit.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let digits = whole.trim_start_matches(['+', '-']);
    if !is_number(digits) || !is_number(fraction) || (digits.is_empty() && fraction.is_empty()) {
        return None;
    }
    let mut value: i128 = format!("{digits}{fraction}").parse().ok()?;
    value = value.checked_mul(1_i128.checked_shl(twos)?)?;
    let exponent = tens + 9 - i32::try_from(fraction.len()).ok()?;
    let factor = 10_i128.checked_pow(exponent.unsigned_abs())?;
    value = if exponent >= 0 { value.checked_mul(factor)? } else { value / factor };
    Some(if whole.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_have_many_spellings() {
        for (one, other) in [
            ("1", "1000m"),
            ("0.5", "500m"),
            ("1Ki", "1024"),
            ("1e3", "1k"),
            ("1.5Gi", "1536Mi"),
            ("100M", "1e8"),
            (".5", "500m"),
        ] {
            assert!(is_same_quantity(one, other), "{one} {other}");
        }
        for (one, other) in [("1", "1001m"), ("1k", "1Ki"), ("a", "b"), ("", ""), ("-1", "1"), ("1.2.3", "1.2")] {
            assert!(!is_same_quantity(one, other), "{one} {other}");
        }
    }

    #[test]
    fn the_stored_spelling_wins_and_what_is_empty_goes() {
        let stored = json!({"resources": {"limits": {"cpu": "1"}}, "env": [{"name": "A"}, {"name": "B", "value": "x"}], "version": "1"});
        let mut value = json!({"resources": {"limits": {"cpu": "1000m"}}, "env": [{"name": "A", "value": ""}, {"name": "B", "value": "y"}],
            "annotations": {}, "version": "1.0", "new": "z"});
        settle(&stored, &mut value);
        assert_eq!(
            value,
            json!({"resources": {"limits": {"cpu": "1"}}, "env": [{"name": "A"}, {"name": "B", "value": "y"}], "version": "1.0", "new": "z"})
        );
    }
}
