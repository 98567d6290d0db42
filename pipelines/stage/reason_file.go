package stage

import "xinshu/catalog"

// fileSentences say the reasons of the kind files, and what the department must do.
var fileSentences = map[string]catalog.Text{
	"FILE_CHECKSUM": {ZH: "文件与校验文件不符，请重新发送", EN: "the file differs from its checksum file; send it again"},
	"FILE_FORMAT":   {ZH: "无法识别的文件格式", EN: "a file of a format that is not read"},
	"FILE_ENCODING": {ZH: "文件为 UTF-16 编码，请另存为 UTF-8 或 GB18030", EN: "UTF-16; save the file as UTF-8 or GB18030"},
	"FILE_HEADER":   {ZH: "没有可用的表头", EN: "no header that can be used"},
	"FILE_ARCHIVE":  {ZH: "压缩包损坏、加密、嵌套或超限", EN: "an archive that is damaged, encrypted, nested or too large"},
	"CSV_QUOTE":     {ZH: "引号不成对", EN: "a quote that is not closed"},
	"CSV_LONG":      {ZH: "一行过长", EN: "a record longer than 1 MB"},
	"JSON_ROWS":     {ZH: "未找到行数组", EN: "no array of rows where it should be"},

	"XLSX_ROUNDED":   {ZH: "单元格为数值，超过 15 位已被 Excel 舍入；请将该列设为“文本”格式后重新录入", EN: "a number of more than 15 digits, which Excel has rounded; format the column as text and enter it again"},
	"XLSX_FORMULA":   {ZH: "公式未保存计算结果；请在 Excel 中打开并重新保存", EN: "a formula saved without its value; open the file in Excel and save it again"},
	"XLSX_ERROR":     {ZH: "单元格为公式错误；请改正或填入值", EN: "an error of a formula; mend it or enter the value"},
	"XLSX_DATE":      {ZH: "单元格设为日期，但数值不是日期", EN: "formatted as a date, but the number is none"},
	"XLSX_CELL":      {ZH: "单元格内容与其类型不符", EN: "a cell that does not hold what it says"},
	"XLSX_SHEET":     {ZH: "工作表未读取：请在数据源设置中指定 sheet", EN: "a sheet that is not there, or not read; set sheet on the source"},
	"XLSX_BROKEN":    {ZH: "工作簿损坏；请重新导出", EN: "a damaged workbook; export it again"},
	"XLSX_ENCRYPTED": {ZH: "工作簿有密码；请去掉密码后发送", EN: "a workbook with a password; send it without one"},
	"XLSX_OLD":       {ZH: "旧版工作簿（.xls、.et）；请另存为 .xlsx", EN: "an old workbook (.xls, .et); save it as .xlsx"},
	"XLSX_LIMIT":     {ZH: "工作簿超限", EN: "a workbook larger than it may be"},

	"XML_SYNTAX":   {ZH: "XML 不完整或格式错误", EN: "XML that is cut or not well-formed"},
	"XML_DTD":      {ZH: "XML 含文档类型声明（DTD），不予读取；请去掉后发送", EN: "XML with a document type declaration; send it without"},
	"XML_LIMIT":    {ZH: "XML 嵌套过深、过长或列过多", EN: "XML that is too deep, too long or has too many columns"},
	"XML_ENCODING": {ZH: "XML 的编码与声明不符", EN: "XML in another encoding than it declares"},
	"XML_ROWS":     {ZH: "XML 中未找到行；请在数据源设置中指定 rows_path", EN: "no rows in the XML; set rows_path on the source"},
	"XML_COUNT":    {ZH: "包头所记行数与包体不符；请重新发送", EN: "the packet's header counts other than its body has; send it again"},
	"XML_REPEATED": {ZH: "一行内同一列出现两次", EN: "one column twice in a row"},

	"PARQUET_BROKEN": {ZH: "Parquet 文件损坏", EN: "a damaged Parquet file"},
	"PARQUET_TYPE":   {ZH: "Parquet 列的类型无法转为文本", EN: "a Parquet column of a type that has no text"},
	"PARQUET_LIMIT":  {ZH: "Parquet 文件超限", EN: "a Parquet file larger than it may be"},
}
