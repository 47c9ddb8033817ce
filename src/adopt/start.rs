//! A first manifest, for a service that is nowhere yet.

/// The text of a manifest that ships as it is, and says what to change next.
pub fn starter(service: &str) -> String {
    format!(
        "\
# {service}: say here in a line what it does.

# The image without its tag. A registry in front of it comes from the environment, unless the image names one.
image: {service}
# The image's tag, or `sha256:...`. `shipcat ship --tag` takes another one for once.
version: 0.1.0

# The port that it listens on; it makes a Service. Take it away if nothing connects to it.
port: 8080
# The path that says whether it is ready: without one a pod counts as ready as soon as it has run for 5 seconds.
# health: /ready

# Two pods or more, so that none is missing while they are replaced.
replicas: 1

# Environment variables. Texts are templates; secrets stay in Kubernetes and are named here.
env:
  SERVICE: \"{{{{ service }}}} in {{{{ environment }}}}\"
  # PASSWORD: {{secret: {service}, key: password}}

# What is set aside for it, and what it may use at most.
resources:
  requests: {{cpu: 50m, memory: 64Mi}}
  limits: {{memory: 256Mi}}

# What differs in an environment goes into a file of its name beside this one, such as `dev.yml`.
"
    )
}
