//! Whether rows are those that were learned from, where the guide knows no others.

use super::engine::Engine;
use super::{AmortizedError, AmortizedFit, RowGuide};

impl<M, G: RowGuide<M>> AmortizedFit<'_, M, G> {
    /// That the guide is asked of rows that it knows: of the very numbers that it learned from.
    pub(super) fn check_rows(&self, model: &M, engine: &Engine<'_, G::Element>, rows: usize) -> Result<(), AmortizedError> {
        let Some(latent) = self.store.table() else { return Ok(()) };
        if std::ptr::eq(model, self.model) {
            return Ok(());
        }
        let own = self.guide.bind_model(self.model)?;
        let same = own.inputs.iter().zip(engine.data).all(|(own, other)| own.data == other.data);
        if own.rows == rows && same { Ok(()) } else { Err(AmortizedError::OtherRows { latent, rows: own.rows }) }
    }
}
