//! tera: the built-in templates, the repo's and the service's, and the texts of a service that are templates.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};
use tera::{Context, ErrorKind, Kwargs, State, Tera};

use crate::error::{FileId, Place, Problem, Sources};
use crate::manifest::Template;
use crate::yaml::safe;

/// One file a kind, compiled in.
const BUILT_IN: [(&str, &str); 12] = [
    ("configmap.yml.j2", include_str!("../../templates/configmap.yml.j2")),
    ("cronjob.yml.j2", include_str!("../../templates/cronjob.yml.j2")),
    ("daemonset.yml.j2", include_str!("../../templates/daemonset.yml.j2")),
    ("deployment.yml.j2", include_str!("../../templates/deployment.yml.j2")),
    ("horizontalpodautoscaler.yml.j2", include_str!("../../templates/horizontalpodautoscaler.yml.j2")),
    ("ingress.yml.j2", include_str!("../../templates/ingress.yml.j2")),
    ("job.yml.j2", include_str!("../../templates/job.yml.j2")),
    ("persistentvolumeclaim.yml.j2", include_str!("../../templates/persistentvolumeclaim.yml.j2")),
    ("poddisruptionbudget.yml.j2", include_str!("../../templates/poddisruptionbudget.yml.j2")),
    ("service.yml.j2", include_str!("../../templates/service.yml.j2")),
    ("serviceaccount.yml.j2", include_str!("../../templates/serviceaccount.yml.j2")),
    ("statefulset.yml.j2", include_str!("../../templates/statefulset.yml.j2")),
];

static TERA: LazyLock<Result<Arc<Tera>, String>> = LazyLock::new(|| {
    let mut tera = engine();
    // Under a name of their own, so that a template can stand in for one and still use it.
    let all =
        BUILT_IN.iter().flat_map(|(name, text)| [((*name).to_owned(), *text), (format!("built-in/{name}"), *text)]);
    tera.add_raw_templates(all.collect::<Vec<_>>()).map_err(|error| error.to_string())?;
    Ok(Arc::new(tera))
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

/// Whether there is a built-in template of that name (without its ending).
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| known.strip_suffix(".yml.j2") == Some(name))
}

/// The names of the built-in templates, without their ending.
pub fn built_in_names() -> Vec<&'static str> {
    BUILT_IN.iter().filter_map(|(known, _)| known.strip_suffix(".yml.j2")).collect()
}

/// The templates of a repo or of a service, over the built-in ones.
#[derive(Debug, Clone)]
pub struct Templates {
    tera: Arc<Tera>,
    list: Vec<Template>,
}

impl Templates {
    /// The built-in templates with these over them, a later one over an earlier one of the same name.
    ///
    /// # Errors
    /// The syntax errors of each, with their places.
    pub fn new(list: &[Template], sources: &Sources) -> Result<Self, Vec<Problem>> {
        let built_in = match TERA.as_ref() {
            Ok(tera) => Arc::clone(tera),
            Err(_) => Arc::new(engine()),
        };
        Self { tera: built_in, list: Vec::new() }.with(list, sources)
    }

    /// These templates with others over them.
    ///
    /// # Errors
    /// As [`Templates::new`].
    pub fn with(&self, list: &[Template], sources: &Sources) -> Result<Self, Vec<Problem>> {
        if list.is_empty() {
            return Ok(self.clone());
        }
        let texts: Vec<(String, &str)> =
            list.iter().map(|template| (file_name(template), sources.text(template.file))).collect();
        let mut tera = (*self.tera).clone();
        match tera.add_raw_templates(texts) {
            Ok(()) => {
                let own: Vec<Template> = self
                    .list
                    .iter()
                    .filter(|known| list.iter().all(|new| new.name != known.name))
                    .chain(list)
                    .cloned()
                    .collect();
                Ok(Self { tera: Arc::new(tera), list: own })
            }
            Err(error) => Err(vec![located(&error, list, None).unwrap_or_else(|| Problem::nowhere(error.to_string()))]),
        }
    }

    /// The repo's and the service's templates, not those that others include.
    pub fn own(&self) -> impl Iterator<Item = &Template> {
        self.list.iter().filter(|template| !template.name.starts_with('_'))
    }

    /// The template of that name, if it is not a built-in one.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.list.iter().find(|template| template.name == name)
    }

    /// Renders the template of that name (without its ending).
    ///
    /// # Errors
    /// What went wrong, with its place if it is in a repo's or a service's template.
    pub fn render(&self, name: &str, context: &Context) -> Result<String, Problem> {
        self.tera.render(&format!("{name}.yml.j2"), context).map_err(|error| {
            located(&error, &self.list, self.get(name))
                .unwrap_or_else(|| Problem::nowhere(format!("the built-in template `{name}` failed: {error}")))
        })
    }
}

fn file_name(template: &Template) -> String {
    if template.name.starts_with('_') { template.name.clone() } else { format!("{}.yml.j2", template.name) }
}

/// A problem of one of these templates: the one in which it is, else the one that was asked for.
fn located(error: &tera::Error, list: &[Template], asked: Option<&Template>) -> Option<Problem> {
    let (message, at, file) = told(error);
    let template = list.iter().find(|template| Some(file_name(template)) == file);
    let (template, (line, column)) = match template {
        Some(template) => (template, at),
        None => (asked?, (1, 1)),
    };
    Some(complaint(
        &message,
        Place { file: template.file, line, column },
        "the template",
        "`docs/templates.md` lists what a template may use",
    ))
}

/// The message, line and column from 1, and the name of the template in which it is.
fn told(error: &tera::Error) -> (String, (usize, usize), Option<String>) {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let at = (report.span().start_line.max(1), report.span().start_col + 1);
            (report.message().to_owned(), at, Some(report.filename().to_owned()))
        }
        ErrorKind::MissingParent { current, .. } => (error.to_string(), (1, 1), Some(current.clone())),
        ErrorKind::CircularExtend { tpl, .. } | ErrorKind::CircularInclude { tpl, .. } => {
            (error.to_string(), (1, 1), Some(tpl.clone()))
        }
        _ => reported(&error.to_string()),
    }
}

/// The same out of a report that has only its text: `error: MESSAGE` and ` --> FILE:LINE:COLUMN`.
fn reported(report: &str) -> (String, (usize, usize), Option<String>) {
    let first = report.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    let place = report.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    let parsed = place.and_then(|place| {
        let (rest, column) = place.trim().rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some((file.to_owned(), (line.parse().ok()?, column.parse().ok()?)))
    });
    match parsed {
        Some((file, at)) => (message, at, Some(file)),
        None => (message, (1, 1), None),
    }
}

fn complaint(message: &str, place: Place, what: &str, known: &str) -> Problem {
    // tera lists what there is only one level deep; the hint lists it all.
    let mut message = message.split(". Available").next().unwrap_or_default().trim().trim_end_matches('.').to_owned();
    if let Some(first) = message.get(..1) {
        message = first.to_lowercase() + message.get(1..).unwrap_or_default();
    }
    let problem = Problem::at(place, format!("{what} cannot be rendered: {message}"));
    if message.contains("defined") || message.contains("not found") {
        problem.hint(known)
    } else {
        problem.hint("text that only looks like a template goes between `{% raw %}` and `{% endraw %}`")
    }
}

/// The texts of a service that are templates, such as config files and environment variables, and what they may use.
pub struct Texts {
    variables: Map<String, Value>,
    sources: Sources,
    context: Option<Context>,
}

impl Texts {
    /// Texts that may use these variables; `sources` has those that are files.
    pub fn new(variables: Map<String, Value>, sources: Sources) -> Self {
        Self { variables, sources, context: None }
    }

    /// What they may use.
    pub fn variables(&self) -> &Map<String, Value> {
        &self.variables
    }

    /// Renders a file.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub fn render_file(&mut self, file: FileId) -> Result<String, Problem> {
        // A copy shares the texts.
        let sources = self.sources.clone();
        self.render(sources.text(file), &Origin::File(file))
    }

    /// Renders a text that stands in a file: at a place in it, or as all of it.
    pub fn render(&mut self, source: &str, origin: &Origin<'_>) -> Result<String, Problem> {
        static ENGINE: LazyLock<Tera> = LazyLock::new(engine);
        // Most values are no templates: what has no tera in it is what it is.
        if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
            return Ok(source.to_owned());
        }
        let context = match &mut self.context {
            Some(context) => context,
            none => none.insert(Context::from_serialize(&self.variables).unwrap_or_default()),
        };
        ENGINE.render_str(source, context, false).map_err(|error| {
            let (message, (line, column), _) = told(&error);
            let known = format!("what there is: {}", known(&self.variables));
            match origin {
                Origin::File(file) => complaint(&message, Place { file: *file, line, column }, "the template", &known),
                Origin::Value(place, what) => complaint(&message, *place, what, &known),
            }
        })
    }
}

/// Where a text stands.
pub enum Origin<'a> {
    /// It is a file of its own.
    File(FileId),
    /// It is a value in another file, under this name.
    Value(Place, &'a str),
}

fn known(variables: &Map<String, Value>) -> String {
    let mut names: Vec<String> = Vec::new();
    for (name, value) in variables {
        match value.as_object() {
            Some(map) => names.extend(map.keys().map(|key| format!("{name}.{key}"))),
            None => names.push(name.clone()),
        }
    }
    names.join(", ")
}
