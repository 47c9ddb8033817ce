//! `init`: a first manifest, or one from existing Kubernetes objects. Asks nothing, overwrites nothing, and needs no cluster.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::survey::{Selection, survey};
use super::{Global, Ground};
use crate::adopt::{Adopted, Input, Told, adopt, starter};
use crate::error::{Exit, Failure, Place, Problem, Problems, Sources};
use crate::manifest::{Environment, ServiceName};
use crate::render::Templates;
use crate::ui::{Tone, Ui};

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service: the name of its folder in `manifests/`
    #[arg(value_name = "NAME")]
    name: String,
    /// Kubernetes YAML or JSON to turn into a manifest, such as the output of `kubectl get deploy,svc,cm,hpa,ingress -o yaml`; `-`
    /// for stdin. Several are taken together
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// If there is such a service already, or what is to be turned into one is not good. Then nothing was written.
pub fn run(global: &Global, ui: Ui, args: &Args) -> Result<Exit> {
    let ground = Ground::resolve(global, ui).map_err(|error| match error.downcast::<Failure>() {
        Ok(failure) if global.repo.is_none() && failure.message.contains("there is no `shipcat.yml`") => failure
            .hint("or make this folder one: a `shipcat.yml` with `environments: {dev: {contexts: [MY-CONTEXT]}}` is enough")
            .into(),
        Ok(failure) => failure.into(),
        Err(error) => error,
    })?;
    let name: ServiceName = args.name.parse().map_err(|message: String| {
        let (message, hint) = message.split_once('\n').unwrap_or((&message, ""));
        Failure::refused(message).hint(hint)
    })?;
    let shown = Path::new("manifests").join(name.as_ref());
    let folder = ground.repo.root.join(&shown);
    if std::fs::symlink_metadata(&folder).is_ok() {
        bail!(
            Failure::refused(format!("there is a service `{name}` already: `{}`", shown.display()))
                .hint("take another name, or move that folder away: nothing is overwritten")
        );
    }
    let environments: Vec<Environment> = match &ground.environment {
        Some(environment) => vec![environment.clone()],
        None => ground.repo.environments.values().cloned().collect(),
    };
    let told = if args.from.is_empty() {
        place(&folder, &|new| {
            std::fs::create_dir_all(new)?;
            Ok(std::fs::write(new.join("manifest.yml"), starter(name.as_ref()))?)
        })?;
        None
    } else {
        let adopted = take_over(&ground, name.as_ref(), &args.from, environments.clone())?;
        place(&folder, &|new| adopted.write(new))?;
        Some(adopted)
    };
    match &told {
        Some(adopted) => tell(&ground.ui, &shown, adopted),
        None => ground.ui.say(Tone::Good, format!("wrote {}", shown.join("manifest.yml").display())),
    }
    check(&ground, name.as_ref(), &environments)?;
    next(&ground.ui, name.as_ref(), &shown, &environments, told.is_some());
    Ok(Exit::Done)
}

/// Says what is not well with what was written: the repo's defaults may not go with it.
fn check(ground: &Ground, name: &str, environments: &[Environment]) -> Result<()> {
    let selection = Selection { services: vec![name.to_owned()], all: false };
    let mut found = Problems::default();
    for environment in environments {
        let survey = survey(&ground.repo, environment, &templates(ground)?, &selection, &|_| None)?;
        found.append(survey.errors);
        found.append(survey.warnings);
    }
    if !found.is_empty() {
        ground.ui.say(Tone::Warn, found.to_string());
    }
    Ok(())
}

fn templates(ground: &Ground) -> Result<Templates> {
    Templates::new(&ground.repo.templates, &ground.repo.sources)
        .map_err(|problems| Problems::new(problems, &ground.repo.sources).unwrap_or_default().into())
}

/// Writes a folder beside its place and moves it there, so that there is never half of one.
fn place(folder: &Path, write: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    let cannot = || format!("cannot write in `{}`", parent.display());
    std::fs::create_dir_all(parent).with_context(cannot)?;
    let beside = tempfile::Builder::new().prefix(".init-").tempdir_in(parent).with_context(cannot)?;
    let new = beside.path().join("new");
    write(&new)?;
    std::fs::rename(&new, folder).with_context(cannot)
}

fn take_over(ground: &Ground, name: &str, from: &[PathBuf], environments: Vec<Environment>) -> Result<Adopted> {
    let inputs: Vec<Input> = from.iter().map(|path| input(path)).collect::<Result<_>>()?;
    let templates = templates(ground)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    adopt(name, &inputs, &ground.repo, environments, &templates, scratch.path())
}

fn input(path: &Path) -> Result<Input> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { PathBuf::from("stdin") } else { path.to_owned() };
    let mut bytes = Vec::new();
    let read = if is_stdin {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        Failure::refused(format!("cannot read `{}`: {error}", name.display()))
            .hint("`--from` takes a file with Kubernetes YAML or JSON, or `-` for stdin")
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Input { name, text }),
        Err(error) => {
            let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let line = good.matches('\n').count() + 1;
            let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let mut sources = Sources::default();
            let file = sources.add(&name, good);
            let problem = Problem::at(Place { file, line, column }, "not UTF-8 text");
            bail!(Problems::new(vec![problem], &sources).unwrap_or_default())
        }
    }
}

fn tell(ui: &Ui, shown: &Path, adopted: &Adopted) {
    ui.say(Tone::Good, format!("wrote {}: {}", shown.display(), adopted.files().join(", ")));
    let width = adopted.told.iter().map(|told| name_of(told).chars().count()).max().unwrap_or_default();
    for told in &adopted.told {
        let name = format!("{:width$}", name_of(told));
        match told {
            Told::Key(_, key) if key.is_empty() => ui.say(Tone::Plain, format!("  {name}  manifest.yml")),
            Told::Key(_, key) => ui.say(Tone::Plain, format!("  {name}  manifest.yml: {key}")),
            Told::Template(_, file, why) => ui.say(Tone::Warn, format!("  {name}  {file}, since {why}")),
            Told::LeftOut(_, why) => ui.say(Tone::Warn, format!("  {name}  left out: {why}")),
        }
    }
    for note in &adopted.notes {
        ui.say(Tone::Warn, format!("note: {note}"));
    }
}

fn name_of(told: &Told) -> &str {
    match told {
        Told::Key(name, _) | Told::Template(name, ..) | Told::LeftOut(name, _) => name,
    }
}

fn next(ui: &Ui, name: &str, shown: &Path, environments: &[Environment], taken_over: bool) {
    let Some(environment) = environments.first() else { return };
    let (n, namespace) = (environment.name.as_ref(), environment.namespace.as_ref());
    let first = if taken_over {
        format!(
            "shipcat generate -n {n} {name} | kubectl diff -n {namespace} -f -   # prints nothing, since nothing changes"
        )
    } else {
        format!("shipcat generate -n {n} {name}   # after a look at {}", shown.join("manifest.yml").display())
    };
    ui.say(Tone::Plain, format!("next:\n  {first}\n  shipcat ship -n {n} {name}"));
}
