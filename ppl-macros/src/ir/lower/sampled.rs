//! `k[n] ~ Poisson(rate) sampled;`: discrete latents that are drawn, whose values are as good as data to the statements that read them.

use proc_macro2::{Ident, Span};

use super::discrete::{ends, is_discrete};
use super::distributions::Lowered;
use super::reads::Choice;
use super::{Entity, Lowering};
use crate::catalogue::Support;
use crate::ir::{Affine, Density, DimId, Index, SiteId, Term, Values};
use crate::{messages, syntax};

impl Lowering<'_> {
    /// Whether a statement may be as it is, with the word `sampled` or without; if not, says so.
    pub(super) fn may_be_sampled(&mut self, lhs: &syntax::Lhs, distribution: &syntax::Expr, word: Option<&Ident>) -> Option<()> {
        let known = self.lookup(&lhs.name);
        let is_drawn = self.drawn_latent(&lhs.name).is_some();
        let wrong = match (word, known) {
            (None, _) if is_drawn && self.model.guide.is_some() => (lhs.name.span(), messages::GUIDE_PARTS.to_owned()),
            (None, _) if is_drawn => (lhs.name.span(), messages::sampled_parts(&lhs.name)),
            (None, _) if self.drawn.contains(&lhs.name) && !is_discrete(distribution) => {
                (distribution.span, messages::guide_discrete(&lhs.name))
            }
            (None, _) => return Some(()),
            (Some(word), _) if self.model.guide.is_some() => (word.span(), messages::SAMPLED_IN_GUIDE.to_owned()),
            (Some(word), Some(Entity::Arg(_))) => (word.span(), messages::sampled_given(&lhs.name)),
            (Some(word), _) if !is_discrete(distribution) => (word.span(), messages::sampled_continuous(&lhs.name)),
            (Some(_), _) if !self.summed.is_empty() => (lhs.name.span(), messages::DISCRETE_HERE.to_owned()),
            (Some(_), Some(Entity::Discrete(_))) => (lhs.name.span(), messages::sampled_parts(&lhs.name)),
            (Some(_), _) => return Some(()),
        };
        self.error(wrong.0, wrong.1);
        None
    }

    /// The discrete latent of this name, if its values are drawn.
    pub(super) fn drawn_latent(&self, name: &Ident) -> Option<SiteId> {
        match self.lookup(name) {
            Some(Entity::Site(site)) if self.model.sites[site].values.is_some() => Some(site),
            _ => None,
        }
    }

    /// Takes note of the values that a statement gives a latent.
    pub(super) fn set_values(&mut self, site: SiteId, lowered: &Lowered, name: &Ident) -> Option<()> {
        if let Some(mask) = &lowered.distribution.mask {
            self.error(mask.span, messages::SUM_MASK);
            return None;
        }
        let zero = Affine::constant(0);
        let values = match &lowered.distribution.density {
            // Between the cutpoints and beyond them lie one category more than there are cutpoints.
            Density::Multivariate { entry, parameters, .. } if entry.name != "Categorical" => {
                let dim = parameters.iter().find_map(|operand| operand.last_dim(&self.model))?;
                let to = Affine::term(Term::Size(dim)).plus(&Affine::constant(1), 1);
                Values { from: zero, to: Some(to), dim: None, axis: None }
            }
            Density::Multivariate { parameters, .. } => {
                let dim = parameters.first().and_then(|weights| weights.last_dim(&self.model))?;
                let axis = self.model.guide.is_some().then(|| self.axis_var(dim));
                Values { from: zero, to: Some(Affine::term(Term::Size(dim))), dim: Some(dim), axis }
            }
            _ if lowered.support == Support::Binary => {
                Values { from: zero, to: Some(Affine::constant(2)), dim: None, axis: None }
            }
            density => {
                let mut all = density.families().map(|(family, params)| ends(family, params));
                let first = all.next()?;
                if all.any(|other| other != first) {
                    self.error(lowered.distribution.span, messages::MIXTURE_VALUES);
                    return None;
                }
                match first {
                    Some((from, to)) => Values { from, to: Some(to), dim: None, axis: None },
                    None if lowered.support == Support::Integer => {
                        self.error(lowered.distribution.span, messages::sampled_negative(name));
                        return None;
                    }
                    None => Values { from: zero, to: None, dim: None, axis: None },
                }
            }
        };
        let entry = &mut self.model.sites[site];
        match &entry.values {
            Some(known) if *known != values => {
                self.error(name.span(), messages::discrete_values(name));
                return None;
            }
            _ => entry.values = Some(values),
        }
        entry.support = if lowered.support == Support::Binary { Support::Binary } else { Support::Count };
        Some(())
    }

    /// A drawn index: the axis is run over, and the elements but the one that is drawn count as zero.
    pub(super) fn drawn_index(
        &mut self,
        (drawn, index): (&Ident, &[syntax::Expr]),
        span: Span,
        dim: DimId,
        array: &Ident,
        axis: usize,
    ) -> Option<Index> {
        let site = self.drawn_latent(drawn)?;
        let into = self.model.sites[site].values.as_ref().and_then(|values| values.dim);
        if into != Some(dim) {
            let wanted = self.model.dim_name(dim);
            let message = match into {
                Some(into) => {
                    let into = self.model.dim_name(into);
                    format!("`{drawn}` points into `{into}`, but axis {} of `{array}` is over `{wanted}`", axis + 1)
                }
                None => messages::sampled_count(drawn, &wanted),
            };
            self.error(span, message);
            return None;
        }
        let named = self.read(drawn, index, span)?;
        let var = self.named_axis_var(dim);
        self.picks.push(Choice { var, named });
        Some(Index::Affine(Affine::term(Term::Var(var))))
    }
}
