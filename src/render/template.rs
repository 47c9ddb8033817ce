//! tera: the built-in templates, and the texts of a service that are templates.

use std::sync::LazyLock;

use anyhow::{Result, anyhow};
use serde_json::Value;
use tera::{Context, ErrorKind, Kwargs, State, Tera};

use crate::error::{FileId, Place, Problem};
use crate::yaml::safe;

/// One file a kind, compiled in.
const BUILT_IN: [(&str, &str); 3] = [
    ("configmap.yml.j2", include_str!("../../templates/configmap.yml.j2")),
    ("deployment.yml.j2", include_str!("../../templates/deployment.yml.j2")),
    ("service.yml.j2", include_str!("../../templates/service.yml.j2")),
];

static TERA: LazyLock<Result<Tera, String>> = LazyLock::new(|| {
    let mut tera = engine();
    tera.add_raw_templates(BUILT_IN).map_err(|error| error.to_string())?;
    Ok(tera)
});

fn engine() -> Tera {
    let mut tera = Tera::default();
    // Escaping is for HTML; what goes into YAML goes through `json`.
    tera.autoescape_on(Vec::<&str>::new());
    tera.register_filter("json", json_filter);
    tera
}

fn json_filter(value: &tera::Value, _: Kwargs, _: &State<'_>) -> tera::TeraResult<String> {
    serde_json::to_string(value).map(|text| safe(&text)).map_err(tera::Error::message)
}

/// Renders a built-in template.
pub fn built_in(name: &str, parts: &Value) -> Result<String> {
    let tera = TERA.as_ref().map_err(|error| anyhow!("the built-in templates are broken: {error}"))?;
    let context = Context::from_serialize(parts).map_err(|error| anyhow!("{error}"))?;
    tera.render(name, &context).map_err(|error| anyhow!("the built-in template `{name}` failed: {error}"))
}

/// Renders a text of the service's, such as a config file or an environment variable.
pub fn text(source: &str, variables: &Value) -> Result<String, TemplateError> {
    static ENGINE: LazyLock<Tera> = LazyLock::new(engine);
    // Most values are no templates: what has no tera in it is what it is.
    if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
        return Ok(source.to_owned());
    }
    Context::from_serialize(variables).and_then(|context| ENGINE.render_str(source, &context, false)).map_err(|error| {
        let (message, at) = match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                (report.message().to_owned(), (report.span().start_line.max(1), report.span().start_col + 1))
            }
            _ => (error.to_string().lines().next().unwrap_or_default().to_owned(), (1, 1)),
        };
        TemplateError { message, at, known: known(variables) }
    })
}

fn known(variables: &Value) -> String {
    let mut names: Vec<String> = Vec::new();
    for (name, value) in variables.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(map) => names.extend(map.keys().map(|key| format!("{name}.{key}"))),
            None => names.push(name.clone()),
        }
    }
    names.join(", ")
}

/// Why a text of the service's could not be rendered.
#[derive(Debug)]
pub struct TemplateError {
    message: String,
    /// Line and column in the text, from 1.
    at: (usize, usize),
    known: String,
}

impl TemplateError {
    /// The problem, where the text is a file of its own.
    pub fn in_file(self, file: FileId) -> Problem {
        let place = Place { file, line: self.at.0, column: self.at.1 };
        self.problem(place, "the template")
    }

    /// The problem, where the text is a value in another file.
    pub fn in_value(self, place: Place, what: &str) -> Problem {
        self.problem(place, what)
    }

    fn problem(self, place: Place, what: &str) -> Problem {
        // tera lists what there is only one level deep; the hint lists it all.
        let mut message =
            self.message.split(". Available").next().unwrap_or_default().trim().trim_end_matches('.').to_owned();
        if let Some(first) = message.get(..1) {
            message = first.to_lowercase() + message.get(1..).unwrap_or_default();
        }
        let problem = Problem::at(place, format!("{what} cannot be rendered: {message}"));
        if message.contains("defined") || message.contains("not found") {
            problem.hint(format!("what there is: {}", self.known))
        } else {
            problem.hint("text that only looks like a template goes between `{% raw %}` and `{% endraw %}`")
        }
    }
}
