//! What can go wrong with a fit.

use crate::diagnostics::DiagnosticError;
use crate::distributions::SampleError;
use crate::guides::{FittedGuide, FlowError, GuideError, NativeFamily};
use crate::model::{BatchError, DataError};
use crate::rows::RowsError;

/// Why there is no fit; every variant is `Send + Sync + 'static`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Linear response was asked of a fit that has none.
    #[error("there is no linear response: {reason}")]
    LinearResponse {
        /// Why.
        reason: &'static str,
    },
    /// The data do not fit the model.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Rows that are not in memory could not be read, or are none of the model.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The guide does not fit the model.
    #[error(transparent)]
    Guide(#[from] GuideError),
    /// No point was found where the log density is finite.
    #[error(
        "no starting point with a finite log density was found in {tries} tries; {culprit}. Give initial values, or check the priors"
    )]
    Start {
        /// How many points were tried.
        tries: usize,
        /// What was not finite at the first of them.
        culprit: Culprit,
    },
    /// The log density became and stayed non-finite.
    #[error(
        "step {step}: the log density is not finite, also with smaller steps; {culprit}. The last good state is in the error"
    )]
    NonFinite {
        /// The step.
        step: usize,
        /// What is not finite.
        culprit: Culprit,
        /// The last good state.
        last: Box<LastState>,
    },
    /// The guide went where densities are not numbers.
    #[error(
        "the fit of a {family} ended where its density is beyond all numbers (ELBO {elbo}); take shorter steps (`step`), or start elsewhere (`initial`)"
    )]
    Overflow {
        /// The family of the guide.
        family: String,
        /// The ELBO, infinite or not a number.
        elbo: f64,
    },
    /// A distribution could not be drawn from.
    #[error("`{statement}`, row {row}: {source}")]
    Sample {
        /// The statement as written.
        statement: &'static str,
        /// The row of the factor.
        row: usize,
        /// Why.
        source: SampleError,
    },
    /// A parameter that starts from observed data has no value to draw from the prior with.
    #[error("`{name}` starts from observed data, which draws from the prior do not have; start it from inputs or numbers")]
    PriorStart {
        /// The parameter.
        name: &'static str,
    },
    /// A model with a `factor(..)` has no prior draws.
    #[error("`{statement}` adds a term to the density, so that its prior cannot be drawn from; write it with `~`")]
    PriorFactor {
        /// The statement as written.
        statement: &'static str,
    },
    /// A sampler of continuous latents.
    #[error("`{name}` is discrete, and the sampler is of continuous latents: fit with `fit_bbvi`, or sum `{name}` out")]
    SamplerDiscrete {
        /// The first discrete latent.
        name: &'static str,
    },
    /// A sampler has no use for parameters.
    #[error(
        "`{name}` is a parameter: it is maximised and has no posterior to sample; give it a prior, or fit and ask `fit.check_with_nuts`, which holds it where the fit left it"
    )]
    SamplerParameter {
        /// The first parameter.
        name: &'static str,
    },
    /// The sampler could not go on.
    #[error("chain {chain} of the sampler stopped: {reason}; check the model where its density is steep, or start another seed")]
    Sampler {
        /// Which chain.
        chain: u64,
        /// What the sampler says.
        reason: String,
    },
    /// A name that no `sum` of the model binds, and no discrete latent has.
    #[error("`{name}` is neither summed out nor a discrete latent of the model; {known}")]
    NotSummed {
        /// The name.
        name: String,
        /// What is.
        known: String,
    },
    /// A name that is no latent or quantity.
    #[error("`{name}` is not a latent or quantity of the model ({known})")]
    UnknownName {
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// The fit is of data of other sizes.
    #[error(
        "the fit has {fitted} unconstrained dimensions and this model {model}: its latents are not those of the fit; predict with sizes of the fit, \
         or, where an array has missing values, append the new rows as missing ones and fit again"
    )]
    OtherSizes {
        /// Of the fit.
        fitted: usize,
        /// Of the model at hand.
        model: usize,
    },
    /// What needs all data of a fit is asked of others.
    #[error(
        "the fit is of {fitted} elements of `{dim}` and this model has {model}: importance weights and what is made of them need all rows of the fit. Draws and \
         predictions are there for any rows; the weights of a fit of `fit_rows` are in its summary"
    )]
    OtherRows {
        /// The dimension.
        dim: &'static str,
        /// Its size in the fit.
        fitted: usize,
        /// Its size in the model at hand.
        model: usize,
    },
    /// A diagnostic could not be computed.
    #[error(transparent)]
    Diagnostic(#[from] DiagnosticError),
    /// A fit could not be written or read.
    #[error("{path}: {reason}")]
    File {
        /// The path.
        path: String,
        /// Why.
        reason: FileReason,
    },
}

/// Why a file of a fit could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileReason {
    /// The file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is not a fit, or is cut short.
    #[error("this is not a saved fit, or is cut short ({0}); save it again")]
    Garbage(serde_json::Error),
    /// There is something in the fit that no file can hold.
    #[error("the fit is not written: {why}")]
    Unwritable {
        /// What it is.
        why: String,
    },
    /// The file is of another version.
    #[error("the file has format {found}, and this version reads format {expected}; fit again, or use the version that wrote it")]
    Version {
        /// In the file.
        found: u32,
        /// Known here.
        expected: u32,
    },
    /// The file is no checkpoint, or not whole.
    #[error("this is not a checkpoint, or it is damaged ({why}): delete it, or name another file")]
    Damaged {
        /// What is wrong with it.
        why: String,
    },
    /// The file is the checkpoint of another fit.
    #[error("this is the checkpoint of a fit with {found}, not with {expected}: delete it, or name another file")]
    OtherFit {
        /// In the file.
        found: String,
        /// The fit at hand.
        expected: String,
    },
    /// The file is of another model.
    #[error("the file is a fit of `{found}`, not of `{expected}`")]
    OtherModel {
        /// In the file.
        found: String,
        /// The model at hand.
        expected: &'static str,
    },
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A block of a name that is no latent.
    #[error("`blocks` names `{name}`, which is not a latent of the model; the latents are {known}")]
    UnknownBlock {
        /// The name.
        name: String,
        /// The latents.
        known: String,
    },
    /// A latent that is in two blocks.
    #[error("`blocks` names `{name}` twice: every latent is in one block")]
    BlockTwice {
        /// The latent.
        name: String,
    },
    /// A family for a name that is no latent.
    #[error("`families` names `{name}`, which is not a latent of the model; the latents are {known}")]
    UnknownNative {
        /// The name.
        name: String,
        /// The latents.
        known: String,
    },
    /// A family that is not on the support of a latent.
    #[error("{family:?} is not on the support of `{name}`{}", if possible.is_empty() { ", which is discrete".to_owned() } else { format!("; on it are {possible}") })]
    NativeSupport {
        /// The latent.
        name: &'static str,
        /// The family.
        family: NativeFamily,
        /// Those that are.
        possible: String,
    },
    /// Families of latents beside another choice of the guide.
    #[error(
        "`families` says what the guide is made of, with Family::Auto, in models without latents that are `sampled`, and in batches only of a plate that no latent is over: leave out one of them"
    )]
    NativeAlone,
    /// An estimator for a name that is no latent.
    #[error("`estimators` names `{name}`, which is not a latent of the model; the latents are {known}")]
    UnknownEstimator {
        /// The name.
        name: String,
        /// The latents.
        known: String,
    },
    /// A family that has no part for discrete latents.
    #[error(
        "Family::{family} is of continuous latents, and `{name}` is discrete and drawn: take Family::Auto, MeanField, FullRank or Blocks for the others"
    )]
    SampledFamily {
        /// The family.
        family: String,
        /// The first discrete latent.
        name: &'static str,
    },
    /// A discrete latent that may have very many values.
    #[error(
        "`{name}` may have some {values:.0} values, too many for a table of their probabilities: count in larger units, or give it a narrower prior"
    )]
    SampledRange {
        /// The element.
        name: String,
        /// How many.
        values: f64,
    },
    /// A block with a discrete latent.
    #[error(
        "`blocks` names `{name}`, which is discrete and drawn: its elements are independent of all else in a guide; leave it out"
    )]
    BlockDiscrete {
        /// The latent.
        name: &'static str,
    },
    /// Batches of a model with discrete latents that are drawn.
    #[error(
        "tables of discrete latents that are drawn are not fitted in batches, and `{name}` is one: leave out `minibatch`, or give it a distribution of its data in a `guide!`, \
         `{name}[n] ~ Bernoulli(logit = a + b * x[n])`, for `fit_guide`"
    )]
    SampledBatch {
        /// The first discrete latent.
        name: &'static str,
    },
    /// The score function, or several estimators, of a bound that is no sum over samples.
    #[error(
        "the score function, and estimators that differ between latents, are of the ELBO, not of the {objective}: take the ELBO, or one estimator along the path for all"
    )]
    EstimatorOfBound {
        /// The bound.
        objective: String,
    },
    /// A plate that cannot be taken in batches.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A batch of more elements than there are, or of none.
    #[error("`minibatch` asks for {rows} elements of `{plate}`, which has {size}; ask for 1 to {size}")]
    BatchSize {
        /// The dimension.
        plate: String,
        /// How many were asked for.
        rows: usize,
        /// How many there are.
        size: usize,
    },
    /// A bound that is no sum over elements and over factors.
    #[error("batches and weights of the divergence are of the ELBO, not of the {objective}: take the ELBO")]
    BatchObjective {
        /// The bound.
        objective: String,
    },
    /// A family whose guide has no part for a batch.
    #[error("Family::{family} cannot be fitted in batches{}: take Family::MeanField{}",
        local.map_or_else(String::new, |latent| format!(" of a plate that `{latent}` is over")),
        if local.is_none() { ", Blocks, LowRank or FullRank" } else { "" })]
    BatchFamily {
        /// The family.
        family: String,
        /// The latent that is over the plate, if that is why.
        local: Option<&'static str>,
    },
    /// A family whose natural gradient is not known.
    #[error("the natural gradient of {family} is not known: take Family::MeanField or Family::FullRank, or another optimizer")]
    NaturalFamily {
        /// The guide.
        family: String,
    },
    /// A guide of a user's own that cannot be taken apart.
    #[error("latents are over `{plate}`, and guide `{guide}` cannot be taken in batches of it: {reason}")]
    BatchGuide {
        /// The guide.
        guide: String,
        /// The plate.
        plate: &'static str,
        /// Why.
        reason: String,
    },
    /// A bound of several samples over a guide of strata.
    #[error(
        "the {objective} takes samples that are alike, but a mixture divides its samples into strata: take the ELBO, another family, or \
         Estimator::ImplicitReparameterization"
    )]
    Strata {
        /// The bound.
        objective: String,
    },
    /// Laplace's approximation of a model with parameters.
    #[error(
        "Laplace's approximation does not maximise parameters, and `{name}` is one: take another family, such as the full rank"
    )]
    LaplaceOfParameters {
        /// The first parameter.
        name: &'static str,
    },
    /// A number out of its range.
    #[error("`{field}` is {value}; it must be {expected}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// The range in words.
        expected: &'static str,
    },
    /// The sizes of a flow are out of range.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// Initial values for a name that is neither a latent nor a parameter.
    #[error("initial values are given for `{name}`, which is neither a latent nor a parameter of the model ({known})")]
    UnknownInitial {
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A wrong number of initial values.
    #[error("{given} initial values are given for `{name}`, which has {expected} elements")]
    InitialLength {
        /// The name.
        name: String,
        /// How many were given.
        given: usize,
        /// How many there are.
        expected: usize,
    },
    /// An initial value outside the support.
    #[error("the initial value {value} of `{name}` is outside its support")]
    InitialSupport {
        /// The element.
        name: String,
        /// The value.
        value: f64,
    },
}

/// The statement at which a log density is not finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Culprit {
    /// The statement as written; empty if none was found alone (the sum overflowed).
    pub statement: &'static str,
    /// The row of the factor.
    pub row: usize,
    /// The value of the site.
    pub value: Vec<f64>,
    /// The parameters by name.
    pub operands: Vec<(String, f64)>,
    /// The log density there.
    pub log_prob: f64,
}

impl std::fmt::Display for Culprit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.statement.is_empty() {
            return f.write_str("no single statement is to blame");
        }
        write!(f, "`{}` at row {} has log density {}", self.statement, self.row, self.log_prob)?;
        if !self.value.is_empty() {
            write!(f, " for the value {:?}", self.value)?;
        }
        for (i, (name, value)) in self.operands.iter().enumerate() {
            write!(f, "{} {name} = {value}", if i == 0 { " with" } else { "," })?;
        }
        Ok(())
    }
}

/// The last good state of a fit that could not go on.
#[derive(Clone, Debug, PartialEq)]
pub struct LastState {
    /// The step.
    pub step: usize,
    /// The guide.
    pub guide: FittedGuide,
    /// The last finite estimate of the ELBO, in nats.
    pub elbo: f64,
}
