//! The compiler behind `ppl_core::model!`.

mod attributes;
mod catalogue;
mod check;
mod diagnostics;
mod expand;
mod guide;
mod ir;
mod messages;
mod pipeline;
mod registry;
mod rows;
mod syntax;

/// Declares a probabilistic model: `model! { pub Name(data: type, ..) { statements } }`.
///
/// What is given is data, what is not is latent: a name in the argument list that appears left of `~` is observed, any other
/// name left of `~` is to be inferred.
///
/// | statement | meaning |
/// |---|---|
/// | `mu ~ Normal(0, 10);` | a prior, or a likelihood if `mu` is an argument |
/// | `y[n] ~ Normal(mu, 1).mask(n < M);` | the likelihood counts where the condition on data holds; elsewhere the value is still drawn, and must be one that the distribution has |
/// | `for n in N { .. }`, `for t in 1..T { .. }` | a plate: a dimension, or a range of it |
/// | `let x = ..;` in a loop | a name for an expression |
/// | `let x[n] = ..;`, or outside loops | a quantity: reported like a latent |
/// | `let h[0] = a;`, `for t in 1..T { let h[t] = a + b * h[t - 1]; .. }` | a recursion: earlier elements are read, also of quantities that are computed from each other in turns |
/// | `beta ~ Uniform(0, 1 - alpha);` | between bounds that depend on latents a latent is a share of the way, which is reported beside it: `share_of_beta` |
/// | `y[n] ~ Truncated(Gamma(2, 1), upper = 4);`, `Censored(Normal(mu, s), lower = 0)` | a distribution between bounds, or observed at its bounds beyond them; of counts the bounds belong to it |
/// | `c[n] ~ ZeroInflated(Poisson(rate), gate = p);`, `s ~ Transformed(Normal(0, 1), softplus);` | counts that are zero for a reason of its own, and what `exp`, `sigmoid` or `softplus` makes of a number |
/// | `y[n] ~ Mixture(w, k in K => Normal(mu[k], s));`, `Mixture(w, Normal(a, s), Cauchy(0, 10))`, `mu[K] ~ Ordered(Normal(0, 3));` | a component chosen by weights, summed out, and independent draws, sorted |
/// | `beta[g, P] ~ MultivariateNormal(mu, scale_tril = l);`, `l[P, P] ~ LkjCholesky(2);` | vectors and matrices: the last axes are drawn together, by name the parameterization is chosen |
/// | `let k[N, N] = squared_exponential(x, amplitude, length_scale, jitter = s);` | an array made of arrays: also `matern12`, `matern32`, `matern52`, `cholesky(a)`, `matvec(a, x)`, `matmul(a, b)`, `solve_lower(l, b)`, `solve_lower_transposed(l, b)`, `factor_product(l)` |
/// | `decoder: net(Z => D)` among the arguments, `decoder(z[n])` | a network, applied to each row of one loop; what stands outside it is the same for all rows |
/// | `sum k in K ~ Categorical(w) { y[n] ~ Normal(mu[k], s); x[n] ~ Poisson(rate[k]); }` | a discrete variable that is summed out, with all statements that depend on it; over a range (`sum m in 0..60 ~ Poisson(rate) { .. }`) of any distribution of counts; nested |
/// | `sum z[t] in K for t in T { z[0] ~ Categorical(a); z[t] ~ Categorical(b[z[t - 1]]); y[t] ~ Normal(mu[z[t]], s); }` | a chain that is summed out, by the forward algorithm: a hidden Markov model |
/// | `k[n] ~ Categorical(w);`, then `mu[k[n]]`, `2 * k[n]` | a discrete latent of bounded values: the guide gives each a probability, and statements that read it are expectations over them |
/// | `k[n] ~ Poisson(rate) sampled;`, then `sum(n in N => w[n] * k[n])`, `mu[k[n]]` | a discrete latent of any values, bounded or not, that is drawn: a statement may read any number of them; the guide gives each a table of probabilities |
/// | `param s: positive = 1;`, `param w[K]: simplex = 1 / K;`, `param l[P, P]: covariance_cholesky = 1;` | what is maximised rather than integrated over, and where it starts: on `real`, `positive`, `unit`, `interval(a, b)`, `simplex`, `ordered`, `positive_ordered`, and as matrices, which start from data or from a number on the diagonal, on `correlation`, `covariance`, `correlation_cholesky`, `covariance_cholesky` |
/// | `ode s in 0..times[t] for t in T { start(x) = x0; d(x) = -k * x; }` | a differential equation, solved at times of data: `x[t]` is a quantity |
/// | `factor(expr);` | any term added to the log joint density |
///
/// Types of arguments are `f64`, `f32`, `u64` (counts), `i64` (whole numbers), `bool`, `in C` (an index into dimension `C`), `usize` (a dimension), and arrays
/// of them: `[f64; N, K]`, `[in C; N]`. Of `[Option<f64>; N]` the missing elements are latent, and the given ones constants: it needs a
/// statement `~` for every element, which must come before the array is read.
///
/// Expressions have `+ - * /`, comparisons of data, `if c { a } else { b }` on data, indices (`alpha[county[n]]`, `y[t - 1]`),
/// `dot(x[n], beta)`, `sum(k in K => ..)`, `log_sum_exp(k in K => ..)`, `Normal(a, b).log_prob(x)`, `positive(x)`, `unit(x)`,
/// the functions exp, ln, log1p, expm1, sqrt, powi, powf, abs, sin, cos, tanh, sigmoid, logit, softplus, erf, `normal_cdf`,
/// lgamma, `log_sum_exp`, min and max, as functions or methods, and Rust functions under `#[ppl_core::function]`.
///
/// A differential equation is solved from where the time begins to each of the times, which do not decrease. `start(x) = ..;` says where a component begins, `d(x) = ..;`
/// what its derivative is; between them stand `let` and `for`. The equations read their components, the time `s`, latents, data and, at `t`, what holds on the way to the
/// time `times[t]`: `beta[t]` is another rate between any two times, `if s < 5 { a } else { b }` another one after a known time. Components may be arrays:
///
/// ```text
/// for n in N {
///     ode s in 0..times[n, t] for t in T {
///         start(gut) = dose[n];
///         start(blood) = 0;
///         d(gut) = -absorption[n] * gut;
///         d(blood) = absorption[n] * gut - elimination[n] * blood;
///     }
///     for t in T {
///         y[n, t] ~ LogNormal(ln(blood[n, t]), sigma);
///     }
/// }
/// ode s in 0..times[t] for t in T, steps = 20 {
///     start(x[G]) = x0;
///     for g in G {
///         d(x[g]) = sum(h in G => rate[g, h] * x[h]) - x[g];
///     }
/// }
/// ```
///
/// The method is the Runge-Kutta method of order four in equal steps between any two times, and its derivative is that of the steps. A fit takes as many steps as it needs for
/// twice as many to change the log joint by less than 0.01 nats, and says by how much they do; `, steps = 20` fixes them. It is not made for stiff equations.
/// Times that are padded repeat the last one, which costs nothing.
///
/// Networks are arguments `decoder: net(Z + T => T * V)`, called with what stands in a row, whole: `let logits = decoder(z[n], previous[n]);` is read as `logits[t]` or
/// `logits[t, v]`; of `net(D => 2 * Z)` the parts are named by `let (a, b) = split(encoder(x[n]));`. Such a model has one loop over its rows, which are independent.
/// An index is given to a network as a number, for an embedding, or as `one_hot(k[n])`, as many numbers as there are values, of which one is one: for `k: [in K; N, L]`
/// of a `net(L * K => D)`. Discrete latents of rows, `k[n, l] ~ Categorical(w);`, are drawn by a `guide!`, and read as data are.
///
/// `#[ppl(crate = path)]` names ppl-core where it is not called so.
#[proc_macro]
pub fn model(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline::model(tokens.into()).into()
}

/// Declares a guide, `q`, of the latents of a model: `guide! { pub Name for Model(data: type, ..) { statements } }`.
///
/// The statements are those of models. Data, latents, dimensions and plates are the model's, and are read by their names; arguments are what the guide needs
/// besides, and the fields of its struct. Every latent of the model has one statement: any proper distribution of the catalogue whose values are those of the latent.
/// Its parameters are functions of data, of parameters (`param`, which are what is optimized, from where they start) and of latents before it.
///
/// | the latent is | it is drawn from |
/// |---|---|
/// | real | `Normal`, `StudentT`, `Logistic` and others, one by one; a vector that is drawn together from `MultivariateNormal` (by covariance, precision, Cholesky factor or low rank), `MultivariateStudentT`, `GaussianRandomWalk` |
/// | positive | `LogNormal`, `Gamma`, `InverseGamma`, `Weibull` and others |
/// | between zero and one | `LogitNormal`, `Beta`, `Kumaraswamy` and others |
/// | in an interval | `Truncated(Normal(m, s), lower = 0, upper = high)` (of any distribution of one number), `Uniform`, `LogUniform`, `Triangular`, `Pareto`, with the bounds of the model, of numbers and data; an angle from `VonMises` |
/// | an ordered vector | `Ordered(Normal(m, s))`, of positive numbers `Ordered(Gamma(a, b))` |
/// | a simplex | `Dirichlet`, `Concrete` |
/// | a matrix | `LkjCholesky`, `LkjCorrelation`, `Wishart`, `InverseWishart` and their Cholesky factors |
/// | a whole number that the model has `sampled` | `Bernoulli`, `Categorical`, `Poisson`, `ZeroInflated(..)`, `Truncated(..)` and others |
///
/// Real, positive and whole numbers, and those between zero and one, are drawn from mixtures too, `Mixture(w, k in K => Normal(m[k], s[k]))` or
/// `Mixture(w, Normal(a, b), StudentT(3, c, d))`, and from `Transformed(StudentT(4, m, s), exp)`.
///
/// `auto mu, tau;` leaves latents, of any support, to a Gaussian on the unconstrained scale, of full rank up to 300 dimensions, else of independent ones; other statements may read them.
///
/// A guide without networks is for any model without, and is fitted by `fit_guide`:
///
/// ```text
/// guide! {
///     /// Effects that follow the population.
///     pub Structured for EightSchools() {
///         param a[J]: real = 0;
///         param slope[J]: real = 0;
///         param w[J]: positive = 1;
///         auto mu, tau;
///         for j in J {
///             theta[j] ~ Normal(a[j] + slope[j] * mu, w[j]);
///         }
///     }
/// }
/// let fit = fit_guide(&model, &Structured, Bbvi::default())?;
///
/// guide! {
///     /// Rates of counts given their population, in the family that the posterior has.
///     pub Conjugate for Counts() {
///         auto shape, mean;
///         for j in J {
///             rate[j] ~ Gamma(shape + y[j], shape / mean + exposure[j]);
///         }
///     }
/// }
/// ```
///
/// A draw is a smooth function of normal noise and of the parameters: of `Normal`, `LogNormal` and `LogitNormal` a scaled one, of the others of one number the quantile,
/// found by some steps of Halley's method, whose derivatives are exact (implicit reparameterization); vectors and matrices are made of such numbers, one after the other, each
/// given those before it. A gamma variable of shape 0.01 is known by its logarithm where it is zero among the doubles; of `Weibull`, `Frechet` and `Kumaraswamy` that asks for
/// shapes above 0.05. Such a draw costs some evaluations of the distribution function, and where a latent is normal but for a change of variables, the normal families are the
/// fast ones. Draws of whole numbers have no path: their parameters, and those of what they depend on, move by the score function, weighed with what depends on them where
/// nothing later is drawn from them.
///
/// With `Bbvi::minibatch` steps are over the elements of a plate that a batch has: `z[n] ~ Normal(a * x[n] + b, s);` with parameters of the whole
/// plate is an amortized guide; discrete latents of elements go with it.
///
/// A guide with networks, or of a model with networks, is one of rows: the model is one loop over independent rows, with all latents and all data in it, and the
/// guide is a function of the row. Latents of rows are drawn as above, discrete ones from any discrete distribution of the same values,
/// `k[n, l] ~ Categorical(logits = a[l]);`, `c[n] ~ Poisson(log_rate = b);` (`Amortized::discrete` says how the gradient is estimated). It is fitted by `fit_amortized`:
///
/// ```text
/// guide! {
///     /// The recognition network.
///     pub Encoder for Vae(encoder: net(D => 2 * Z)) {
///         for n in N {
///             let (loc, log_scale) = split(encoder(x[n]));
///             z[n, Z] ~ Normal(loc, exp(log_scale));
///         }
///     }
/// }
/// let fit = fit_amortized(&model, &Encoder { encoder }, Amortized::default())?;
/// ```
///
/// `auto mu, z;`, outside the loop, leaves latents to the automatic guide: those outside the loop over the rows of the model, which have no other guide, together, and
/// those of rows each with a location and a scale (or probabilities) of its own for every row, which makes the guide one of the rows that it learns from.
#[proc_macro]
pub fn guide(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guide::guide(&tokens.into()).into()
}

/// What `guide!` becomes where the model is known: an internal macro.
#[doc(hidden)]
#[proc_macro]
pub fn __guide(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    guide::guide_of(tokens.into()).into()
}

/// The registry of ppl-core: an internal macro.
#[doc(hidden)]
#[proc_macro]
pub fn __registry(_tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    registry::registry().into()
}

/// Makes a function over lanes usable in models: `#[ppl_core::function] fn f<V>(x: V) -> V { .. }`.
#[proc_macro_attribute]
pub fn function(_attribute: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attributes::function(item.into()).into()
}

/// Makes the density of a distribution of one's own as fast as ours: stands on its `impl Univariate<P>`.
#[proc_macro_attribute]
pub fn distribution(_attribute: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attributes::distribution(item.into()).into()
}
