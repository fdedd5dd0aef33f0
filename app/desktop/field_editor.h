#pragma once
// One field of the run form, made from its declaration: label, editor, unit, what is wrong beside it, and a way back to
// the default. It never changes what was typed. Threads: UI thread only.

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QObject>
#include <QPushButton>

#include <optional>
#include <string>

#include "core/config/field.h"

class QGridLayout;

namespace moescope::app {

class FieldEditor : public QObject {
  Q_OBJECT
 public:
  /// Adds a row at the end of `grid`. `typed` is what a person wrote before, if anything.
  FieldEditor(std::string key, config::FieldSpec spec, const std::optional<QString>& typed, QGridLayout& grid,
              QWidget* parent);
  const std::string& key() const { return key_; }
  const config::FieldSpec& spec() const { return spec_; }
  /// What stands in the editor; a text that is no number stays a text, so that the check can name it.
  config::Value value() const;
  /// What was typed when it differs from the default.
  std::optional<QString> typed() const;
  void set_text(const QString& text);
  void set_error(const QString& error, const QString& hint = {});
  QString error() const { return error_->text(); }
  QWidget* editor() const { return editor_; }

 Q_SIGNALS:
  void edited();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QWidget* make_editor(QWidget* parent);
  void add_browse();
  QString text() const;
  QString default_text() const;
  void after_edit();
  void nudge(int direction);

  std::string key_;
  config::FieldSpec spec_;
  QLineEdit* line_ = nullptr;
  QComboBox* combo_ = nullptr;
  QCheckBox* check_ = nullptr;
  QWidget* editor_;
  QPushButton* reset_;
  QLabel* error_;
};

}  // namespace moescope::app
