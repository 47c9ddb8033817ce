//! What a scalar is to go-yaml v2: YAML 1.1 with the integers of Go.

use serde_json::Value;

/// A scalar with its type, before it becomes JSON: keys are written otherwise than values.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// Above an `i64`.
    Large(u64),
    Float(f64),
    Text(&'a str),
}

/// What a plain scalar without a tag is.
pub fn resolve(text: &str) -> Scalar<'_> {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' => return number(text).unwrap_or(Scalar::Text(text)),
        b'.' => {
            return match text {
                ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
                ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
                // Behind a dot it is Go that skips the underscores, and only between digits.
                _ => float(dense(text).filter(|_| between_digits(text)).as_deref().unwrap_or(text))
                    .map_or(Scalar::Text(text), Scalar::Float),
            };
        }
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => {}
        _ => return Scalar::Text(text),
    }
    match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => Scalar::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => Scalar::Bool(false),
        _ => Scalar::Text(text),
    }
}

/// Without the underscores, where there are some.
fn dense(text: &str) -> Option<String> {
    text.contains('_').then(|| text.replace('_', ""))
}

fn between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    (1..bytes.len()).filter(|at| bytes[*at] == b'_').all(|at| digit(at - 1) && digit(at + 1))
}

fn number(text: &str) -> Option<Scalar<'static>> {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    let dense = dense(text);
    let text = dense.as_deref().unwrap_or(text);
    integer(text).or_else(|| float(text).map(Scalar::Float)).or_else(|| {
        // go-yaml looks a second time for what begins like a binary number, and lets a sign follow.
        let digits = text.strip_prefix("0b").filter(|digits| digits.starts_with(['+', '-']))?;
        i64::from_str_radix(digits, 2).ok().map(Scalar::Integer)
    })
}

/// Go's `ParseInt` with base 0, and `ParseUint` after it, which takes no sign.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(number) {
        Ok(number) if negative => Some(Scalar::Integer(-number)),
        Ok(number) => Some(Scalar::Integer(number)),
        Err(_) if negative && number == i64::MIN.unsigned_abs() => Some(Scalar::Integer(i64::MIN)),
        Err(_) if text.starts_with(['+', '-']) => None,
        Err(_) => Some(Scalar::Large(number)),
    }
}

/// A decimal fraction by the pattern of go-yaml: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`. What is too large for
/// an `f64` is none.
fn float(text: &str) -> Option<f64> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits(rest);
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if whole + count == 0 {
            return None;
        }
        rest = &fraction[count..];
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 {
            return None;
        }
        rest = &exponent[count..];
    }
    if !rest.is_empty() {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number as it comes out of Go's JSON: written without a fraction where it has none, and read back as an `i64` where that
/// is large enough. None for what JSON has no number for.
pub fn json_number(number: f64) -> Option<Value> {
    // Two to the power of 63.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0
        && (-END..END).contains(&number)
        // Go writes the shortest digits that give the same f64, filled up with zeros, and these are read as an integer.
        && let Ok(number) = number.to_string().parse::<i64>()
    {
        return Some(Value::from(number));
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// An integer that kubectl reads as an `i64` where it fits, and as a fraction where not.
pub fn json_integer(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number as f64), Value::from)
}

/// A number as sigs.k8s.io/yaml writes it where it is a key: Go's `%g` of 32 bits.
pub fn key(number: f64) -> String {
    // This is what it does; too large a number becomes infinite.
    let number = number as f32;
    if number.is_nan() {
        return ".nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
        _ => number.to_string(),
    }
}
