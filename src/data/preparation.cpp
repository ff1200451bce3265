#include "data/preparation.h"

namespace hone {

void CleaningConfig::describe(Fields& f) {
  f.choice("unicode", unicode, unicode_form_names, "Normal form that texts are brought to.");
  f.field("html", html, "Takes tags and comments out and writes entities (`&amp;`, `&#8217;`) as characters.");
  f.field("control", control,
          "Takes out control characters, zero-width spaces, soft hyphens, byte order marks and marks of direction.");
  f.field("white_space", white_space,
          "One space where there were several, at most one empty line, nothing at the ends, line ends as \\n.");
}

void FilterConfig::describe(Fields& f) {
  f.field("min_characters", min_characters, "Rows whose texts have fewer characters are left out.", at_least(1));
  f.field("max_characters", max_characters, "Rows whose texts have more characters are left out.", at_least(1));
  f.field("min_words", min_words, "Rows with fewer words, which stand between white space, are left out.", at_least(1));
  f.field("max_words", max_words, "Rows with more words are left out.", at_least(1));
  f.check(!min_characters || !max_characters || *min_characters <= *max_characters, "max_characters",
          "must not be less than min_characters");
  f.field("min_tokens", min_tokens,
          "Rows with fewer tokens of the run's tokenizer are left out; what it or a chat template adds does not count.",
          at_least(1));
  f.field("max_tokens", max_tokens, "Rows with more tokens are left out.", at_least(1));
  f.check(!min_words || !max_words || *min_words <= *max_words, "max_words", "must not be less than min_words");
  f.check(!min_tokens || !max_tokens || *min_tokens <= *max_tokens, "max_tokens", "must not be less than min_tokens");
}

void DeduplicationConfig::describe(Fields& f) {
  f.field("exact", exact,
          "Keeps the first of rows whose texts are equal but for case, white space and punctuation; a training row "
          "equal to a held-out one goes.");
  f.field("near", near,
          "The same for rows that share this part of their shingles (Jaccard similarity; 0.8 is usual), found by "
          "MinHash. 0: not looked for.",
          between(0, 1));
  f.field("shingle", shingle, "Words of a shingle; a shorter text is one shingle.", between(1, 32));
}

void AugmentationConfig::describe(Fields& f) {
  f.field("copies", copies,
          "Altered copies of each training row, beside the row itself. 4 copies for one epoch are five epochs in "
          "which the alterations are drawn anew.",
          at_least(0));
  f.field("each_epoch", each_epoch,
          "Makes no copies: whenever training comes to a row it reads the row itself or an alteration drawn anew, which "
          "is what `copies` of `copies + 1` visits read.");
  f.field("deletion", deletion, "Chance of each word to be left out.", Range{.low = 0, .high = 1, .open_high = true});
  f.field("swap", swap, "Share of the words that change places with another word.", between(0, 1));
  f.field("replacement", replacement, "Share of the words replaced by a synonym.", between(0, 1));
  f.field("insertion", insertion, "Synonyms inserted, as a share of the number of words.", between(0, 1));
  f.field("synonyms", synonyms, "A file of synonyms: a group a line, words between commas.");
  f.check(synonyms.has_value() || (replacement == 0 && insertion == 0), "synonyms",
          "replacement and insertion need a file of synonyms");
  f.check(copies == 0 || deletion + swap + replacement + insertion > 0, "copies",
          "one of deletion, swap, replacement and insertion must be above 0");
  f.check(!each_epoch || copies > 0, "each_epoch", "needs copies above 0, which say how many visits read alterations");
}

void MixtureConfig::describe(Fields& f) {
  f.field("weights", weights,
          "Names of other entries of `data:` with their weights, `{stories: 2, poems: 1}`: the shares of the rows.");
  f.field("temperature", temperature,
          "Above 0: each weight is multiplied by the number of rows to the power 1/temperature. 1: in proportion to "
          "the sizes; greater: flatter. 0: sizes do not count.",
          at_least(0));
  f.field("rows", rows, "Training rows of the mixture; by default as many as the parts have.", at_least(1));
  bool positive = true;
  for (const auto& [name, weight] : weights) positive = positive && weight > 0;
  f.check(positive, "weights", "must be above 0");
}

void PreparationConfig::describe(Fields& f) {
  f.section("clean", clean, "Makes texts plain.");
  f.section("filter", filter, "Leaves out rows by length; of all texts of a row together.");
  f.section("deduplicate", deduplicate, "Leaves out rows that repeat others.");
  f.field("stratified", stratified, "`held_out` is that share of every class, to a row.");
  f.choice("balance", balance, balance_names,
           "Equal numbers of training rows of each class: by repeating rows of the smaller ones or by leaving out rows "
           "of the larger ones.");
  f.section("augment", augment, "Altered copies of the training rows.");
}

}  // namespace hone
