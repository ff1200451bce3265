#pragma once

#include "io/line_reader.h"

/// One factory a format; each reader is defined in a file of its own.
namespace hone {

std::unique_ptr<TableReader> open_jsonl(LineReader lines);
std::unique_ptr<TableReader> open_json(LineReader lines);
std::unique_ptr<TableReader> open_csv(LineReader lines, std::vector<std::string> column_names);
std::unique_ptr<TableReader> open_tsv(LineReader lines, std::vector<std::string> column_names);
std::unique_ptr<TableReader> open_text(LineReader lines);
std::unique_ptr<TableReader> open_label_text(LineReader lines);

}  // namespace hone
