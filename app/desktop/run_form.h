#pragma once
// Sets up a run: every field of the configuration, made from its declaration, with what is wrong said beside it at
// once. What was typed survives a change of method and a file opened into it is shown field by field.
// Threads: UI thread only.

#include <QDialog>
#include <QLabel>
#include <QPushButton>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/desktop/field_editor.h"
#include "app/desktop/methods.h"

class QScrollArea;
class QVBoxLayout;

namespace moescope::app {

class RunForm : public QDialog {
  Q_OBJECT
 public:
  explicit RunForm(const Methods& methods, QWidget* parent = nullptr);
  /// While `trains` says that a run does, what is free tells nothing: the run gives its memory back to the next one.
  void judge_memory_unless(std::function<bool()> trains);
  /// Fills the fields; keys not named stand at their defaults.
  void load(const config::RunConfig& config);
  /// As if typed.
  void set(const std::string& key, const QString& text);
  FieldEditor* field(const std::string& key) const;
  QPushButton& start_button() { return *start_; }
  QString size_told() const { return size_->text(); }
  QString messages() const { return messages_->text(); }

 Q_SIGNALS:
  void start_wanted(const moescope::config::RunConfig& config);

 private:
  void rebuild();
  void add_section(const config::Schema& schema, QVBoxLayout& column, QWidget* page);
  void check();
  std::map<std::string, config::Value> values() const;
  void remember_typed();
  void open_file();
  void save_file();
  QWidget* make_buttons();
  std::string method_id() const;

  const Methods& methods_;
  std::function<bool()> trains_ = [] { return false; };
  QScrollArea* scroll_;
  QLabel* messages_;
  QLabel* size_;  ///< what the run will need and leave
  QPushButton* start_;
  QPushButton* save_;
  std::map<std::string, QString> typed_;
  std::vector<FieldEditor*> fields_;
  std::string built_for_;
  bool building_ = false;
  std::optional<config::RunConfig> config_;
};

}  // namespace moescope::app
