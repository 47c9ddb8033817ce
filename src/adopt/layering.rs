//! What has to be said, where something is there already from the service or from defaults.

use serde_json::{Map, Value};

/// What, layered over `base`, gives `own`, if there is such: nothing can be taken away, and what is new comes last. Of `whole` values
/// nothing is shared: a reference is replaced as one.
pub fn over(base: &Value, own: &Value, whole: bool) -> Option<Value> {
    let (Some(before), Some(after)) = (base.as_object(), own.as_object()) else { return Some(own.clone()) };
    if !before.keys().eq(after.keys().take(before.len())) {
        return None;
    }
    let mut out = Map::new();
    for (key, value) in after {
        match before.get(key) {
            Some(old) if old == value => {}
            Some(old) if !whole => drop(out.insert(key.clone(), over(old, value, false)?)),
            _ => drop(out.insert(key.clone(), value.clone())),
        }
    }
    Some(out.into())
}

/// Takes away what a service would get from defaults and these objects do not have.
pub fn cancel(defaults: &Value, keys: &mut Map<String, Value>, first: bool) {
    for (key, default) in defaults.as_object().into_iter().flatten() {
        match keys.get_mut(key) {
            // A reference is replaced as one.
            Some(Value::Object(own)) if !(first && key == "env") => cancel(default, own, false),
            Some(Value::Object(own)) => {
                let gone = default.as_object().into_iter().flatten().filter(|(key, _)| !own.contains_key(*key));
                let gone: Vec<(String, Value)> = gone.map(|(key, _)| (key.clone(), Value::Null)).collect();
                own.extend(gone);
            }
            Some(_) => {}
            None => drop(keys.insert(key.clone(), Value::Null)),
        }
    }
}
