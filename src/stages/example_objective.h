#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/labels.h"
#include "data/packing.h"
#include "data/text_encoder.h"
#include "stages/training.h"

namespace hone {

/// Examples to learn from and examples held out.
struct LearnableRows {
  std::vector<TokenExample> train;
  std::vector<TokenExample> held_out;
};

/// What a visit in that epoch reads of a row of the data set, as many examples as the row always has. Empty: every visit
/// reads the same.
using RedrawRow = std::function<std::vector<TokenExample>(std::int64_t row, std::uint64_t epoch)>;

/// The rows of data that alters them (`augment: {each_epoch: true}`), by an encoder with that limit; empty for other data.
/// `encode` gives an example without ids where a row has no place; such an alteration gives way to the row itself.
using EncodeRow = std::function<std::vector<TokenExample>(const DataRow& row, std::int64_t number, TextEncoder& encoder)>;
RedrawRow redrawn_rows(std::shared_ptr<const Dataset> data, const Tokenizer& tokenizer, const ModelInput& input,
                       LengthLimit limit, EncodeRow encode);

/// Puts what the visits read in place of what is there: `each` neighbours of `examples` a row.
void redraw(const RedrawRow& read, std::span<const VisitedRow> visited, std::size_t each,
            std::vector<TokenExample>& examples);

/// What objectives over token sequences share: a row is one example.
class ExampleObjective : public Objective {
 public:
  /// `run` and its model must outlive the objective. `tokens_per_pass` bounds the passes of an evaluation.
  ExampleObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass)
      : run_(run), rows_(std::move(rows)), tokens_per_pass_(tokens_per_pass) {}

  std::uint64_t rows() const override { return rows_.train.size(); }
  std::int64_t tokens(std::uint64_t row) const override {
    return rows_.train[row].tokens();
  }
  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t) const override;
  void visit(std::span<const VisitedRow> rows) override { redraw(redraw_, rows, 1, rows_.train); }
  void redraw_rows(RedrawRow read) { redraw_ = std::move(read); }

 protected:
  Model& model() const { return *run_.model; }
  std::int64_t tokens_per_pass() const { return tokens_per_pass_; }
  const LearnableRows& examples() const { return rows_; }

 private:
  Run& run_;
  LearnableRows rows_;
  std::int64_t tokens_per_pass_;
  RedrawRow redraw_;
};

/// All examples, in order.
Batch batch_of(std::span<const TokenExample> examples);

/// What `encode` makes of both splits; at most `held_out_rows` of the second. Warns when nothing is held out.
LearnableRows load_splits(const Dataset& data, std::int64_t held_out_rows,
                          const std::function<std::vector<TokenExample>(Split)>& encode);

/// Encodes labelled rows: all of the training split and at most `held_out_rows` held-out ones. Error{data} as
/// encode_labelled.
LearnableRows load_labelled(Run& run, const Dataset& data, const LabelSet& classes, std::int64_t held_out_rows);

/// The score head at the rows that it reads, [S, outputs] or [T, outputs]; carries the gradient.
at::Tensor sequence_scores(Model& model, const Batch& batch, const DropoutDraw& dropout);

}  // namespace hone
