// veraPDF's own verdict on files, run by the Rhino among its jars, so that no Java compiler is needed.
// ARGUMENTS: flavour FILE ...; prints a line a file, then a line for each rule that it breaks; exits with 1 if any does.
var verapdf = Packages.org.verapdf;
verapdf.gf.foundry.VeraGreenfieldFoundryProvider.initialise();
var foundry = verapdf.pdfa.Foundries.defaultInstance();
var flavour = verapdf.pdfa.flavours.PDFAFlavour.fromString(arguments[0]);
var broken = 0;
for (var i = 1; i < arguments.length; i++) {
  var parser = foundry.createParser(new java.io.FileInputStream(arguments[i]), flavour);
  var result = foundry.createValidator(flavour, false).validate(parser);
  parser.close();
  print(arguments[i] + " " + flavour + " compliant=" + result.isCompliant() + " assertions=" + result.getTotalAssertions());
  var rules = new java.util.TreeSet();
  for (var each = result.getTestAssertions().iterator(); each.hasNext(); ) {
    var assertion = each.next(), rule = assertion.getRuleId();
    if (assertion.getStatus() == verapdf.pdfa.results.TestAssertion.Status.FAILED)
      rules.add("  " + rule.getClause() + "-" + rule.getTestNumber() + " " + assertion.getMessage());
  }
  for (var line = rules.iterator(); line.hasNext(); ) print(line.next());
  broken += result.isCompliant() ? 0 : 1;
}
java.lang.System.exit(broken ? 1 : 0);
